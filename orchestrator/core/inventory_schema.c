#include "core/inventory_schema.h"
#include "core/model.h"

#define AT(type, field) .offset = offsetof(struct type, field)
#define KEYS(table) .keys = (table), .key_count = sizeof(table) / sizeof(*(table))
#define WHERE(type) .has_where = true, .where_offset = offsetof(struct type, where)

static const struct schema_key source_keys[] = {
    {"file", SCHEMA_PATH, AT(source, file), .doc = "read from this file, which only its owner may read"},
    {"env", SCHEMA_TEXT, AT(source, env),
     .doc = "read from this environment variable (visible to other processes of yours)"},
    {"command", SCHEMA_TEXT_LIST, AT(source, command),
     .doc = "standard output of this program; a list of arguments, no shell, 30 s"},
};
static const struct schema source_schema = {.title = "Where a secret comes from",
                                            .struct_size = sizeof(struct source),
                                            KEYS(source_keys),
                                            WHERE(source)};

static const struct schema_key account_keys[] = {
    {"type", SCHEMA_TEXT, AT(account, type), .required = true,
     .doc = "whose API it is; docs/providers has a page for each"},
    {"token", SCHEMA_MAP, AT(account, token), .required = true, .sub = &source_schema,
     .doc = "API token; for an account of type rfc2136 the TSIG key, `hmac-sha256:NAME:BASE64`"},
    {"endpoint", SCHEMA_TEXT, AT(account, endpoint),
     .doc = "base URL of the API, when it is not the provider's own"},
    {"ca_file", SCHEMA_PATH, AT(account, ca_file), .doc = "CA certificates (PEM) to trust for this API"},
    {"settle", SCHEMA_DURATION, AT(account, settle_ms), .fallback = "120s",
     .doc = "how long a create whose answer was lost may still appear"},
    {"poll", SCHEMA_DURATION, AT(account, poll_ms), .fallback = "2s",
     .doc = "pause between two looks at something pending"},
    {"max_creates", SCHEMA_INT, AT(account, max_creates), .min = 1, .max = 20, .fallback = "3",
     .doc = "servers that one run may create here at most"},
};
static const struct schema account_schema = {
    .title = "Provider accounts", .struct_size = sizeof(struct account), KEYS(account_keys)};

static const struct schema_key storage_keys[] = {
    {"endpoint", SCHEMA_TEXT, AT(storage, endpoint), .required = true, .doc = "URL of the S3 service"},
    {"region", SCHEMA_TEXT, AT(storage, region), .fallback = "us-east-1",
     .doc = "region name for signatures"},
    {"bucket", SCHEMA_TEXT, AT(storage, bucket), .required = true, .doc = "bucket of the backups"},
    {"prefix", SCHEMA_TEXT, AT(storage, prefix), .doc = "put before every object name"},
    {"ca_file", SCHEMA_PATH, AT(storage, ca_file), .doc = "CA certificates (PEM) to trust for this service"},
    {"access_key", SCHEMA_MAP, AT(storage, access_key), .required = true, .sub = &source_schema,
     .doc = "access key id"},
    {"secret_key", SCHEMA_MAP, AT(storage, secret_key), .required = true, .sub = &source_schema,
     .doc = "secret key"},
};
static const struct schema storage_schema = {
    .title = "Object storage", .struct_size = sizeof(struct storage), KEYS(storage_keys)};

static const struct schema_key keys_keys[] = {
    {"ssh", SCHEMA_MAP, AT(keys, ssh), .required = true, .sub = &source_schema,
     .doc = "ed25519 private key (OpenSSH format, no passphrase) that opens the hosts"},
    {"backup", SCHEMA_MAP, AT(keys, backup), .required = true, .sub = &source_schema,
     .doc = "age identity: the working key of backups"},
    {"recovery", SCHEMA_TEXT, AT(keys, recovery), .required = true,
     .doc = "age recipient (`age1...`) of the recovery key, whose identity is kept offline"},
    {"signing", SCHEMA_MAP, AT(keys, signing), .required = true, .sub = &source_schema,
     .doc = "Ed25519 private key (PEM) that signs backup manifests"},
};
static const struct schema keys_schema = {
    .title = "Keys", .struct_size = sizeof(struct keys), KEYS(keys_keys)};

static const struct schema_key secret_keys[] = {
    {"file", SCHEMA_PATH, AT(named_source, source.file), .doc = "read from this file"},
    {"env", SCHEMA_TEXT, AT(named_source, source.env), .doc = "read from this environment variable"},
    {"command", SCHEMA_TEXT_LIST, AT(named_source, source.command), .doc = "standard output of this program"},
};
static const struct schema secret_schema = {.title = "Secrets",
                                            .struct_size = sizeof(struct named_source),
                                            KEYS(secret_keys),
                                            .has_where = true,
                                            .where_offset = offsetof(struct named_source, source.where)};

static const struct schema_key place_keys[] = {
    {"provider", SCHEMA_TEXT, AT(place, account), .required = true, .doc = "name of a provider account"},
    {"region", SCHEMA_TEXT, AT(place, region),
     .doc = "the provider's name of the location; without it, the cheapest that fits"},
    {"size", SCHEMA_TEXT, AT(place, size),
     .doc = "the provider's name of the server size; without it, the cheapest that fits `needs`"},
};
static const struct schema place_schema = {.title = "Places (rungs of the ladder)",
                                           .struct_size = sizeof(struct place),
                                           KEYS(place_keys),
                                           WHERE(place)};

static const char *const architectures[] = {"x86", "arm", NULL};
static const struct schema_key needs_keys[] = {
    {"cores", SCHEMA_INT, AT(needs, cores), .min = 1, .max = 1024, .doc = "virtual CPUs"},
    {"memory_gib", SCHEMA_INT, AT(needs, memory_gib), .min = 1, .max = 65536, .doc = "memory"},
    {"disk_gib", SCHEMA_INT, AT(needs, disk_gib), .min = 1, .max = 1048576, .doc = "disk"},
    {"architecture", SCHEMA_TEXT, AT(needs, architecture), .choices = architectures, .fallback = "x86",
     .doc = "`x86` or `arm`"},
    {"areas", SCHEMA_TEXT_LIST, AT(needs, areas),
     .doc = "where the host may be: countries (`de`, `us`) and legal areas (`eu`, `eea`); default: anywhere"},
};
static const struct schema needs_schema = {
    .title = "Needs", .struct_size = sizeof(struct needs), KEYS(needs_keys)};

static const struct schema_key current_keys[] = {
    {"provider", SCHEMA_TEXT, AT(current_server, account), .required = true,
     .doc = "name of a provider account"},
    {"server", SCHEMA_TEXT, AT(current_server, server), .required = true,
     .doc = "name or id of the server there; when there is none of that name, it counts as gone"},
    {"host_key", SCHEMA_TEXT, AT(current_server, host_key),
     .doc = "its SSH host key, `ssh-ed25519 AAAA...`: backups connect to nothing else"},
};
static const struct schema current_schema = {
    .title = "Where the host runs now", .struct_size = sizeof(struct current_server), KEYS(current_keys)};

static const struct schema_key phase_keys[] = {
    {"configure", SCHEMA_TEXT_LIST, AT(playbook_phases, configure),
     .doc = "playbooks before secrets and data: a path, or the name of a shipped one"},
    {"secrets", SCHEMA_TEXT_LIST, AT(playbook_phases, secrets), .doc = "playbooks that put secrets in place"},
    {"start", SCHEMA_TEXT_LIST, AT(playbook_phases, start),
     .doc = "playbooks after the data is restored: deploy and start"},
};
static const struct schema phase_schema = {
    .title = "Playbooks", .struct_size = sizeof(struct playbook_phases), KEYS(phase_keys)};

static const struct schema_key dataset_keys[] = {
    {"kind", SCHEMA_TEXT, AT(host_dataset, kind), .required = true,
     .doc = "`postgres` or `files`; the other keys are the kind's own: see docs/data.md"},
    {"rpo", SCHEMA_DURATION, AT(host_dataset, rpo_ms),
     .doc = "how much may be lost; default: the host's objective"},
    {"areas", SCHEMA_TEXT_LIST, AT(host_dataset, areas),
     .doc =
         "where this data may be: countries (`de`, `us`) and legal areas (`eu`, `eea`); default: anywhere"},
};
static const struct schema dataset_schema = {.title = "Datasets",
                                             .struct_size = sizeof(struct host_dataset),
                                             KEYS(dataset_keys),
                                             .rest = true,
                                             .rest_offset = offsetof(struct host_dataset, options),
                                             WHERE(host_dataset)};

static const char *const check_kinds[] = {"https", "sql", "command", NULL};
static const struct schema_key check_keys[] = {
    {"kind", SCHEMA_TEXT, AT(check, kind), .required = true, .choices = check_kinds,
     .doc = "`https`, `sql` or `command`"},
    {"name", SCHEMA_TEXT, AT(check, name), .doc = "for screens and reports"},
    {"within", SCHEMA_DURATION, AT(check, within_ms), .fallback = "60s",
     .doc = "tried again until this has passed"},
    {"url", SCHEMA_TEXT, AT(check, url),
     .doc = "https: asked with its real host name, at the new server's address"},
    {"status", SCHEMA_INT, AT(check, status), .min = 100, .max = 599, .fallback = "200",
     .doc = "https: the status wanted"},
    {"contains", SCHEMA_TEXT, AT(check, contains), .doc = "https, command: text that the answer must hold"},
    {"ca_file", SCHEMA_PATH, AT(check, ca_file), .doc = "https: CA certificates (PEM) to trust"},
    {"dataset", SCHEMA_TEXT, AT(check, dataset),
     .doc = "sql: the postgres dataset that is asked, through an SSH tunnel"},
    {"user", SCHEMA_TEXT, AT(check, user), .doc = "sql: database user"},
    {"password", SCHEMA_TEXT, AT(check, password), .doc = "sql: name of the secret that holds its password"},
    {"query", SCHEMA_TEXT, AT(check, query), .doc = "sql: must give one number"},
    {"at_least", SCHEMA_INT, AT(check, at_least), .min = 0, .max = INT64_MAX, .fallback = "1",
     .doc = "sql: the least number that is good"},
    {"command", SCHEMA_TEXT, AT(check, command), .doc = "command: shell line on the new server, must exit 0"},
};
static const struct schema check_schema = {
    .title = "Checks", .struct_size = sizeof(struct check), KEYS(check_keys), WHERE(check)};

static const char *const name_types[] = {"address", "CNAME", "TXT", NULL};
static const struct schema_key name_keys[] = {
    {"name", SCHEMA_TEXT, AT(dns_name, name), .required = true, .doc = "fully qualified DNS name"},
    {"provider", SCHEMA_TEXT, AT(dns_name, account), .required = true, .doc = "account that serves its zone"},
    {"type", SCHEMA_TEXT, AT(dns_name, type), .choices = name_types, .fallback = "address",
     .doc = "`address` (A and AAAA together), `CNAME` or `TXT`"},
    {"value", SCHEMA_TEXT, AT(dns_name, value),
     .doc = "CNAME and TXT: the value after the move; `{ipv4}`, `{ipv6}`, `{provider}` and `{region}` stand "
            "for the new server's"},
    {"ttl", SCHEMA_INT, AT(dns_name, ttl_seconds), .min = 30, .max = 86400,
     .doc = "seconds; default: as it is"},
};
static const struct schema name_schema = {
    .title = "DNS names", .struct_size = sizeof(struct dns_name), KEYS(name_keys), WHERE(dns_name)};

static const char *const protocols[] = {"tcp", "udp", "icmp", NULL};
static const struct schema_key port_keys[] = {
    {"protocol", SCHEMA_TEXT, AT(open_port, protocol), .choices = protocols, .fallback = "tcp",
     .doc = "`tcp`, `udp` or `icmp`"},
    {"port", SCHEMA_TEXT, AT(open_port, port), .doc = "tcp, udp: `443`, or a range `8000-8100`"},
    {"from", SCHEMA_TEXT_LIST, AT(open_port, from),
     .doc = "networks (`203.0.113.0/24`, `2001:db8::/32`); default: everywhere"},
};
static const struct schema port_schema = {
    .title = "Firewall", .struct_size = sizeof(struct open_port), KEYS(port_keys), WHERE(open_port)};

static const struct schema_key objective_keys[] = {
    {"rto", SCHEMA_DURATION, AT(objectives, rto_ms), .fallback = "1h",
     .doc = "longest time until the service is up again"},
    {"rpo", SCHEMA_DURATION, AT(objectives, rpo_ms), .fallback = "24h",
     .doc = "longest stretch of writes that may be lost"},
};
static const struct schema objective_schema = {
    .title = "Objectives", .struct_size = sizeof(struct objectives), KEYS(objective_keys)};

static const struct schema_key host_keys[] = {
    {"current", SCHEMA_MAP, AT(host, current), .required = true, .sub = &current_schema,
     .doc = "the server that may be lost"},
    {"places", SCHEMA_LIST, AT(host, places), .sub = &place_schema,
     .doc = "where it may be rebuilt, tried in this order; without them rehost makes the ladder from the "
            "providers' catalogues: cheapest that fits `needs`, and another provider before the third try"},
    {"needs", SCHEMA_MAP, AT(host, needs), .sub = &needs_schema,
     .doc = "what a server must have where no size is given"},
    {"firewall", SCHEMA_LIST, AT(host, firewall), .sub = &port_schema,
     .doc = "what the provider's firewall lets in, SSH among it; everything else it drops; without it none "
            "is set"},
    {"image", SCHEMA_TEXT, AT(host, image), .fallback = "ubuntu-24.04", .doc = "operating system image"},
    {"boot_deadline", SCHEMA_DURATION, AT(host, boot_deadline_ms), .fallback = "5m",
     .doc = "until SSH must answer"},
    {"playbooks", SCHEMA_MAP, AT(host, playbooks), .sub = &phase_schema, .doc = "what configures it"},
    {"vars", SCHEMA_JSON, AT(host, vars),
     .doc = "variables for the playbooks; `{{ secrets.NAME }}` is a secret's value"},
    {"secrets", SCHEMA_TEXT_LIST, AT(host, secrets),
     .doc = "names of the secrets that its playbooks may use"},
    {"datasets", SCHEMA_NAMED, AT(host, datasets), .sub = &dataset_schema, .doc = "what is restored"},
    {"checks", SCHEMA_LIST, AT(host, checks), .sub = &check_schema,
     .doc = "what proves that the service works"},
    {"names", SCHEMA_LIST, AT(host, names), .sub = &name_schema, .doc = "DNS names that lead to it"},
    {"objectives", SCHEMA_MAP, AT(host, objectives), .sub = &objective_schema, .doc = "RTO and RPO"},
};
static const struct schema host_schema = {
    .title = "Hosts", .struct_size = sizeof(struct host), KEYS(host_keys), WHERE(host)};

static const struct schema_key inventory_keys[] = {
    {"version", SCHEMA_INT, AT(inventory, version), .required = true, .min = 1, .max = 1,
     .doc = "of this format: 1"},
    {"project", SCHEMA_TEXT, AT(inventory, project), .required = true,
     .doc = "short name; keeps the journals of projects apart"},
    {"state_dir", SCHEMA_PATH, AT(inventory, state_dir),
     .doc = "folder of journal and logs, on a local disk; default `~/.local/state/rehost/PROJECT`"},
    {"resolver", SCHEMA_TEXT, AT(inventory, resolver),
     .doc = "DNS server for look-ups, `ADDRESS[:PORT]`; default: the system's"},
    {"providers", SCHEMA_NAMED, AT(inventory, accounts), .required = true, .sub = &account_schema,
     .doc = "accounts"},
    {"storage", SCHEMA_MAP, AT(inventory, storage), .sub = &storage_schema, .doc = "where backups are kept"},
    {"keys", SCHEMA_MAP, AT(inventory, keys), .required = true, .sub = &keys_schema,
     .doc = "keys of the orchestrator"},
    {"secrets", SCHEMA_NAMED, AT(inventory, secrets), .sub = &secret_schema,
     .doc = "values that hosts need and nobody may see"},
    {"hosts", SCHEMA_NAMED, AT(inventory, hosts), .required = true, .sub = &host_schema,
     .doc = "what may be lost"},
};
const struct schema inventory_schema = {
    .title = "Inventory", .struct_size = sizeof(struct inventory), KEYS(inventory_keys)};
