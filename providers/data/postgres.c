/* PostgreSQL databases, by pg_dump and pg_restore as the system user postgres (peer authentication: no
 * password exists).
 *
 * The rows are counted in the snapshot that pg_dump then reads, so that the counts are exact under load. A
 * restore fills a new database; the switch renames it into place in one transaction and keeps the old one
 * aside.
 */
#include "base/hash.h"
#include "providers/data/driver.h"

#include <ctype.h>
#include <string.h>

#define NAME_MAX_BYTES 63 /* PostgreSQL cuts longer names off (NAMEDATALEN) */

static bool is_database_name(const char *text)
{
    size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");
    return length > 0 && length <= NAME_MAX_BYTES && !text[length] &&
           (isalpha((unsigned char)text[0]) || text[0] == '_');
}

static const struct option_rule options[] = {
    {"database", OPTION_TEXT, true, is_database_name,
     "the name of a database (letters, digits, '_', '-', '.')"},
    {"owner", OPTION_TEXT, false, is_database_name, "the name of a role"},
    {"port", OPTION_NUMBER, false, NULL, NULL},
};

static const char *const needs[] = {"psql:postgresql-client", "pg_dump:postgresql-client",
                                    "pg_restore:postgresql-client", "runuser:util-linux", NULL};

/* sql DATABASE [-v NAME=VALUE]... <STATEMENTS: values come in as psql variables, which psql quotes. */
static const char sql_function[] =
    "sql() {\n"
    "    local db=$1\n"
    "    shift\n"
    "    runuser -u postgres -- psql -X -qAt -v ON_ERROR_STOP=1 -p \"$port\" -d \"$db\" \"$@\"\n"
    "}\n";

/* The rows of all tables that pg_dump dumps: not those of extensions. One JSON object a table, merged by the
 * orchestrator. */
#define COUNT_ROWS                                                                                           \
    "SELECT format($q$SELECT 'probe ' || json_build_object('rows', json_build_object(%L, count(*))) FROM "   \
    "ONLY %I.%I;$q$,\n"                                                                                      \
    "    n.nspname || '.' || c.relname, n.nspname, c.relname)\n"                                             \
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace\n"                                        \
    "WHERE c.relkind = 'r' AND c.relpersistence <> 't' AND n.nspname !~ '^pg_' AND n.nspname <> "            \
    "'information_schema'\n"                                                                                 \
    "    AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = "      \
    "c.oid\n"                                                                                                \
    "        AND d.deptype = 'e')\n"                                                                         \
    "ORDER BY 1\n"                                                                                           \
    "\\gexec\n"

static const char inspect_script[] =
    "inspect() {\n"
    "    local size\n"
    "    size=$(sql postgres -v database=\"$database\" <<<\"SELECT pg_database_size(oid) FROM pg_database "
    "WHERE datname = "
    ":'database'\")\n"
    "    [ -n \"$size\" ] || fail \"there is no database '$database' on port $port of this host\"\n"
    "    echo \"$size\"\n"
    "}\n";

static const char produce_script[] =
    "prepare() {\n"
    "    local line=\n"
    "    report 'note counting rows'\n"
    "    report \"tool $(pg_dump --version)\"\n"
    "    coproc SESSION { sql \"$database\"; }\n"
    "    session=$SESSION_PID\n"
    "    exec {to}>&\"${SESSION[1]}\" {from}<&\"${SESSION[0]}\"\n"
    "    cat >&\"$to\" <<'SQL'\n"
    "SET statement_timeout = 0;\n"
    "SET idle_in_transaction_session_timeout = 0;\n"
    "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY;\n"
    "SELECT 'snapshot ' || pg_export_snapshot();\n"
    "SELECT 'tool PostgreSQL server ' || current_setting('server_version');\n"
    "SELECT 'info ' || json_build_object('owner', pg_get_userbyid(datdba), 'encoding', "
    "pg_encoding_to_char(encoding),\n"
    "    'collate', datcollate, 'ctype', datctype, 'database_bytes', pg_database_size(oid))\n"
    "FROM pg_database WHERE datname = current_database();\n"
    "SELECT 'info ' || json_build_object('superuser_extensions', coalesce(json_agg(e.extname ORDER BY "
    "e.extname), '[]'))\n"
    "FROM pg_extension e WHERE NOT EXISTS (SELECT FROM pg_available_extension_versions v\n"
    "    WHERE v.name = e.extname AND v.version = e.extversion AND v.trusted);\n" COUNT_ROWS "\\echo ready\n"
    "SQL\n"
    "    snapshot=\n"
    "    while IFS= read -r line <&\"$from\"; do\n"
    "        case $line in\n"
    "        snapshot\\ *) snapshot=${line#* } ;;\n"
    "        ready) break ;;\n"
    "        *) report \"$line\" ;;\n"
    "        esac\n"
    "    done\n"
    "    [ \"$line\" = ready ] && [ -n \"$snapshot\" ] || fail \"the rows of the database '$database' could "
    "not be counted\"\n"
    "    report 'note dumping'\n"
    "}\n"
    "produce() {\n"
    "    runuser -u postgres -- pg_dump --format=custom --compress=0 -p \"$port\" --snapshot=\"$snapshot\" "
    "\"$database\"\n"
    "}\n"
    "finish() {\n"
    "    printf 'COMMIT;\\n\\\\q\\n' >&\"$to\"\n"
    "    wait \"$session\" || fail 'the session that held the snapshot was lost'\n"
    "}\n";

/* --role makes the owner create everything; what only a superuser may create is made before, and then its
 * comment, which only its owner may set, must be left out. */
static const char consume_script[] =
    "prepare() {\n"
    "    local known extension\n"
    "    report \"tool $(pg_restore --version)\"\n"
    "    known=$(sql postgres -v owner=\"$owner\" <<<\"SELECT 1 FROM pg_roles WHERE rolname = :'owner'\")\n"
    "    [ -n \"$known\" ] || fail \"the role '$owner' does not exist on this host: the playbook that sets "
    "up PostgreSQL must create it\"\n"
    "    discard\n"
    "    sql postgres -v new=\"$new\" -v owner=\"$owner\" -v encoding=\"$encoding\" -v collate=\"$collate\" "
    "-v ctype=\"$ctype\" <<'SQL'\n"
    "CREATE DATABASE :\"new\" OWNER :\"owner\" TEMPLATE template0 ENCODING :'encoding' LC_COLLATE :'collate' "
    "LC_CTYPE :'ctype';\n"
    "SQL\n"
    "    for extension in \"${extensions[@]}\"; do\n"
    "        sql \"$new\" -v extension=\"$extension\" <<<'CREATE EXTENSION IF NOT EXISTS :\"extension\" "
    "CASCADE;'\n"
    "    done\n"
    "    report 'note loading'\n"
    "}\n"
    "consume() {\n"
    "    local more=()\n"
    "    ((${#extensions[@]} == 0)) || more=(--no-comments)\n"
    "    runuser -u postgres -- pg_restore --exit-on-error --no-owner --role=\"$owner\" \"${more[@]}\" -p "
    "\"$port\" -d \"$new\"\n"
    "}\n"
    "finish() {\n"
    "    report 'note counting rows'\n"
    "    sql \"$new\" <<<'ANALYZE;'\n"
    "    count \"$new\"\n"
    "}\n"
    "discard() {\n"
    "    sql postgres -v new=\"$new\" <<'SQL'\n"
    "SET client_min_messages = warning;\n"
    "DROP DATABASE IF EXISTS :\"new\" WITH (FORCE);\n"
    "SQL\n"
    "}\n";

static const char count_script[] = "count() {\n"
                                   "    local lines\n"
                                   "    lines=$(sql \"$1\" <<'SQL'\n" COUNT_ROWS "SQL\n"
                                   "    )\n"
                                   "    while IFS= read -r line; do\n"
                                   "        [ -z \"$line\" ] || report \"$line\"\n"
                                   "    done <<<\"$lines\"\n"
                                   "}\n";

/* The comment on the database, set in the transaction that renames it, tells a later run that this was done.
 * A client may connect again between the two statements, hence the attempts. */
static const char switch_script[] =
    "is_switched() {\n"
    "    local found\n"
    "    found=$(sql postgres -v database=\"$database\" -v mark=\"$mark\" <<<\"SELECT 1 FROM pg_database "
    "WHERE datname = :'database' AND "
    "shobj_description(oid, 'pg_database') = :'mark'\")\n"
    "    [ -n \"$found\" ]\n"
    "}\n"
    "recount() {\n"
    "    count \"$database\"\n"
    "}\n"
    "switch_over() {\n"
    "    local attempt exists\n"
    "    exists=$(sql postgres -v database=\"$database\" <<<\"SELECT 1 FROM pg_database WHERE datname = "
    ":'database'\")\n"
    "    for attempt in 1 2 3 4 5 6 7 8 9 10; do\n"
    "        {\n"
    "            echo 'BEGIN;'\n"
    "            if [ -n \"$exists\" ]; then\n"
    "                echo \"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "
    ":'database' AND pid <> "
    "pg_backend_pid();\"\n"
    "                echo 'ALTER DATABASE :\"database\" RENAME TO :\"before\";'\n"
    "            fi\n"
    "            echo 'ALTER DATABASE :\"new\" RENAME TO :\"database\";'\n"
    "            echo \"COMMENT ON DATABASE :\\\"database\\\" IS :'mark';\"\n"
    "            echo 'COMMIT;'\n"
    "        } | sql postgres -v database=\"$database\" -v new=\"$new\" -v before=\"$before\" -v "
    "mark=\"$mark\" >/dev/null && return 0\n"
    "        sleep 1\n"
    "    done\n"
    "    fail \"the database '$database' stayed in use: the restored one is complete and waits as '$new'\"\n"
    "}\n";

static void add_settings(const struct dataset *dataset, struct strbuf *script)
{
    const json_t *port = json_object_get(dataset->options, "port");
    script_set(script, "database", option_text(dataset, "database", ""));
    strbuf_addf(script, "port=%d\n", port ? (int)json_integer_value(port) : 5432);
    strbuf_adds(script, sql_function);
}

static void add_inspect(const struct dataset *dataset, struct strbuf *script)
{
    add_settings(dataset, script);
    strbuf_adds(script, inspect_script);
}

static void add_produce(const struct dataset *dataset, struct strbuf *script)
{
    add_settings(dataset, script);
    strbuf_adds(script, produce_script);
}

static const char *source_text(const struct restore_target *target, const char *name, const char *fallback)
{
    const char *text = json_string_value(json_object_get(target->source, name));
    return text ? text : fallback;
}

/* NAME_WORD_JOB, with a digest of the job's id where the whole would be too long. */
static void set_name(const struct dataset *dataset, const struct restore_target *target, const char *variable,
                     const char *word, struct strbuf *script)
{
    char hex[HASH_SHA256_HEX_SIZE], name[NAME_MAX_BYTES + 1];
    const char *database = option_text(dataset, "database", "");
    int length = snprintf(name, sizeof name, "%s_%s_%s", database, word, target->id);
    if (length < 0 || (size_t)length >= sizeof name) {
        hash_sha256_hex(target->id, strlen(target->id), hex);
        int room = NAME_MAX_BYTES - (int)strlen(word) - 2 - 12;
        (void)snprintf(name, sizeof name, "%.*s_%s_%.12s", room, database, word, hex);
    }
    script_set(script, variable, name);
}

static void add_target(const struct dataset *dataset, const struct restore_target *target,
                       struct strbuf *script)
{
    struct strbuf mark CLEANUP_STRBUF;
    strbuf_init(&mark, 0);
    add_settings(dataset, script);
    set_name(dataset, target, "new", "rehost", script);
    set_name(dataset, target, "before", "before", script);
    strbuf_addf(&mark, "restored by rehost, job %s", target->id);
    script_set(script, "mark", mark.data);
    strbuf_adds(script, count_script);
}

static void add_consume(const struct dataset *dataset, const struct restore_target *target,
                        struct strbuf *script)
{
    size_t i;
    json_t *extension;
    add_target(dataset, target, script);
    script_set(script, "owner", option_text(dataset, "owner", source_text(target, "owner", "postgres")));
    script_set(script, "encoding", source_text(target, "encoding", "UTF8"));
    script_set(script, "collate", source_text(target, "collate", "C.UTF-8"));
    script_set(script, "ctype", source_text(target, "ctype", "C.UTF-8"));
    strbuf_adds(script, "extensions=(");
    json_array_foreach(json_object_get(target->source, "superuser_extensions"), i, extension)
    {
        strbuf_addc(script, ' ');
        strbuf_add_shell_quoted(script, json_is_string(extension) ? json_string_value(extension) : "");
    }
    strbuf_adds(script, " )\n");
    strbuf_adds(script, consume_script);
}

static void add_switch(const struct dataset *dataset, const struct restore_target *target,
                       struct strbuf *script)
{
    add_target(dataset, target, script);
    strbuf_adds(script, switch_script);
}

static void add_manual_restore(const struct dataset *dataset, const struct restore_target *target,
                               struct strbuf *text)
{
    const char *owner = option_text(dataset, "owner", source_text(target, "owner", "postgres"));
    strbuf_addf(text,
                "These run as a superuser of PostgreSQL (for instance: su postgres), on a server that has "
                "the role '%s'.\n"
                "They fill a new database: NEW_DATABASE is its name, for instance %s_restored.\n\n",
                owner, option_text(dataset, "database", ""));
    strbuf_adds(text, "    createdb --template=template0 --encoding=");
    strbuf_add_shell_quoted(text, source_text(target, "encoding", "UTF8"));
    strbuf_adds(text, " --lc-collate=");
    strbuf_add_shell_quoted(text, source_text(target, "collate", "C.UTF-8"));
    strbuf_adds(text, " --lc-ctype=");
    strbuf_add_shell_quoted(text, source_text(target, "ctype", "C.UTF-8"));
    strbuf_adds(text, " --owner=");
    strbuf_add_shell_quoted(text, owner);
    strbuf_adds(text, " \"$NEW_DATABASE\"\n"
                      "    age --decrypt -i \"$RECOVERY_KEY\" data.zst.age | zstd -d |"
                      " pg_restore --exit-on-error --no-owner --role=");
    strbuf_add_shell_quoted(text, owner);
    strbuf_adds(text, " -d \"$NEW_DATABASE\"\n");
}

const struct dataset_ops dataset_postgres = {
    .kind = "postgres",
    .needs = needs,
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .producer = "pg_dump",
    .consumer = "pg_restore",
    .command = "pg_dump --format=custom --compress=0 --snapshot=... DATABASE | zstd -3 | age",
    .add_inspect = add_inspect,
    .add_produce = add_produce,
    .add_consume = add_consume,
    .add_switch = add_switch,
    .add_manual_restore = add_manual_restore,
};
