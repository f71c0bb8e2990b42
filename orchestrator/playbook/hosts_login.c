/* How to reach a host: the ansible_... variables, and the arguments meant for ssh. Source: "Behavioral
 * inventory parameters" of "How to build your inventory", and ssh_config(5). */
#include "base/decode.h"
#include "base/fs.h"
#include "base/yaml.h"
#include "playbook/hosts_data.h"
#include "playbook/play.h"
#include "playbook/words.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct reading {
    struct arena *arena;
    const struct hosts_host *host;
    struct expr_env env;
    struct hosts_login *login;
};

static struct err *host_error(const struct reading *r, const char *name, const char *what, const char *value)
{
    return err_new(ERR_INPUT, "host '%s': %s: %s '%s'", r->host->name, name, what, value);
}

/* The first of the names (NULL ends them) that is set, rendered; NULL when none is, or it is empty. */
static struct err *variable(const struct reading *r, const char *const *names, const char **name,
                            const json_t **value)
{
    *value = NULL;
    *name = *names;
    for (; *names && !*value; names++)
        for (const struct expr_scope *s = r->env.scope; s && !*value; s = s->outer) {
            *value = json_object_get(s->vars, *names);
            *name = *names;
        }
    if (!*value || json_is_null(*value)) {
        *value = NULL;
        return NULL;
    }
    json_t *rendered;
    const struct expr_place place = {.file = *name};
    TRY(err_wrap(template_render_json(r->arena, &r->env, &place, *value, &rendered), "host '%s'",
                 r->host->name));
    *value = json_keep(r->arena, rendered);
    if (json_is_string(rendered) &&
        (!*json_string_value(rendered) || !strcmp(json_string_value(rendered), EXPR_OMIT)))
        *value = NULL;
    return NULL;
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct err *text_variable(const struct reading *r, const char *const *names, const char **text)
{
    const json_t *value;
    const char *name;
    TRY(variable(r, names, &name, &value));
    if (json_is_array(value) || json_is_object(value))
        return host_error(r, name, "it must be text, not", expr_value_text(r->arena, value));
    if (value)
        *text = expr_value_text(r->arena, value);
    return NULL;
}

static struct err *flag_variable(const struct reading *r, const char *const *names, bool *flag)
{
    const char *text = NULL;
    TRY(text_variable(r, names, &text));
    if (!text)
        return NULL;
    static const char *const words[] = {"no", "yes", "false", "true", "off", "on", "0", "1"};
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
        if (!strcasecmp(text, words[i])) {
            *flag = i % 2;
            return NULL;
        }
    return host_error(r, names[0], "it is yes or no, not", text);
}

static struct err *read_port(const struct reading *r, const char *name, const char *text)
{
    char *end;
    long port = strtol(text, &end, 10);
    if (*end || port < 1 || port > 65535)
        return host_error(r, name, "a port is a number from 1 to 65535, not", text);
    r->login->port = (int)port;
    return NULL;
}

static struct err *port_variable(const struct reading *r)
{
    const char *text = NULL;
    TRY(text_variable(r, NAMES("ansible_port", "ansible_ssh_port"), &text));
    return text ? read_port(r, "ansible_port", text) : NULL;
}

/* --- arguments for ssh --- */

/* What changes nothing here: the link is kept alive, shared and authenticated by rehost's own rules. */
static const char *const ssh_no_effect[] = {"AddKeysToAgent",
                                            "AddressFamily",
                                            "BatchMode",
                                            "CheckHostIP",
                                            "Compression",
                                            "ConnectionAttempts",
                                            "ConnectTimeout",
                                            "ControlMaster",
                                            "ControlPath",
                                            "ControlPersist",
                                            "ForwardAgent",
                                            "ForwardX11",
                                            "GSSAPIAuthentication",
                                            "GSSAPIDelegateCredentials",
                                            "GlobalKnownHostsFile",
                                            "HashKnownHosts",
                                            "IdentitiesOnly",
                                            "KbdInteractiveAuthentication",
                                            "LogLevel",
                                            "NumberOfPasswordPrompts",
                                            "PasswordAuthentication",
                                            "PreferredAuthentications",
                                            "PubkeyAuthentication",
                                            "RequestTTY",
                                            "ServerAliveCountMax",
                                            "ServerAliveInterval",
                                            "TCPKeepAlive",
                                            "UpdateHostKeys",
                                            "VisualHostKey"};
#define NO_EFFECT_COUNT (sizeof(ssh_no_effect) / sizeof(*ssh_no_effect))

static struct err *unknown_option(const struct reading *r, const char *source, const char *name)
{
    static const char *const acted_on[] = {"IdentityFile", "Port", "StrictHostKeyChecking", "User",
                                           "UserKnownHostsFile"};
    const char *names[NO_EFFECT_COUNT + 5];
    memcpy(names, ssh_no_effect, sizeof(ssh_no_effect));
    memcpy(names + NO_EFFECT_COUNT, acted_on, sizeof(acted_on));
    const char *near = yaml_nearest(name, names, NO_EFFECT_COUNT + 5);
    struct err *e = host_error(r, source, "rehost does not know the option of ssh", name);
    return near ? err_with_hint(e, "did you mean %s?", near) : e;
}

static struct err *ssh_option(const struct reading *r, const char *source, const char *name,
                              const char *value)
{
    struct hosts_login *login = r->login;
    if (!strcasecmp(name, "StrictHostKeyChecking")) {
        if (!strcasecmp(value, "no") || !strcasecmp(value, "off") || !strcasecmp(value, "accept-new"))
            login->trust_unknown = true;
        else if (!strcasecmp(value, "yes"))
            login->trust_unknown = false;
    } else if (!strcasecmp(name, "UserKnownHostsFile")) {
        login->known_hosts = fs_resolve(r->arena, NULL, value);
    } else if (!strcasecmp(name, "IdentityFile")) {
        login->key_file = fs_resolve(r->arena, NULL, value);
    } else if (!strcasecmp(name, "User")) {
        login->user = value;
    } else if (!strcasecmp(name, "Port")) {
        return read_port(r, source, value);
    } else if (!strcasecmp(name, "ProxyJump") || !strcasecmp(name, "ProxyCommand")) {
        return err_with_hint(host_error(r, source, "a way over another host is not supported:", name),
                             "run rehost on that host, or forward a port: ssh -L 2222:%s:22 ...",
                             r->login->address);
    } else {
        size_t i = 0;
        while (i < NO_EFFECT_COUNT && strcasecmp(name, ssh_no_effect[i]) != 0)
            i++;
        return i == NO_EFFECT_COUNT ? unknown_option(r, source, name) : NULL;
    }
    return NULL;
}

/* "Name=Value", "Name Value" */
static struct err *ssh_assignment(const struct reading *r, const char *source, const char *text)
{
    size_t length = strcspn(text, "= \t");
    const char *value = text + length + strspn(text + length, "= \t");
    if (!length || !*value)
        return host_error(r, source, "an option of ssh is NAME=VALUE, not", text);
    return ssh_option(r, source, arena_strndup(r->arena, text, length), value);
}

static struct err *ssh_letter(const struct reading *r, const char *source, char letter, const char *value)
{
    switch (letter) {
    case 'o':
        return ssh_assignment(r, source, value);
    case 'i':
        return ssh_option(r, source, "IdentityFile", value);
    case 'p':
        return ssh_option(r, source, "Port", value);
    case 'l':
        return ssh_option(r, source, "User", value);
    default: /* J */
        return ssh_option(r, source, "ProxyJump", value);
    }
}

static struct err *ssh_arguments(const struct reading *r, const char *source)
{
    const char *text = NULL;
    char **words;
    size_t count;
    TRY(text_variable(r, NAMES(source), &text));
    if (!text)
        return NULL;
    TRY(err_wrap(words_split(r->arena, text, &words, &count), "host '%s': %s", r->host->name, source));
    for (size_t i = 0; i < count; i++) {
        const char *word = words[i];
        if (word[0] == '-' && word[1] && strspn(word + 1, "46aACkqTtvxX") == strlen(word + 1))
            continue; /* switches without a meaning here */
        if (word[0] != '-' || !word[1] || !strchr("oiplJ", word[1]))
            return host_error(r, source, "rehost does not know the argument of ssh", word);
        const char *value = word[2] ? word + 2 : i + 1 < count ? words[++i] : NULL;
        if (!value)
            return host_error(r, source, "a value is missing after", word);
        TRY(ssh_letter(r, source, word[1], value));
    }
    return NULL;
}

/* --- all of it --- */

static struct err *read_connection(const struct reading *r)
{
    const char *connection = "ssh";
    TRY(text_variable(r, NAMES("ansible_connection"), &connection));
    if (!strncmp(connection, "ansible.builtin.", 16))
        connection += 16;
    if (!strcmp(connection, "local"))
        r->login->local = true;
    else if (strcmp(connection, "ssh") != 0 && strcmp(connection, "smart") != 0 &&
             strcmp(connection, "paramiko") != 0 && strcmp(connection, "paramiko_ssh") != 0)
        return err_with_hint(host_error(r, "ansible_connection", "not supported:", connection),
                             "there are ssh and local");
    return NULL;
}

static struct err *read_become(const struct reading *r)
{
    const char *method = NULL, *password = NULL;
    struct secret *secret = NULL;
    TRY(flag_variable(r, NAMES("ansible_become", "ansible_sudo"), &r->login->become));
    TRY(text_variable(r, NAMES("ansible_become_user", "ansible_sudo_user"), &r->login->become_user));
    TRY(text_variable(r, NAMES("ansible_become_method"), &method));
    if (method && strcmp(method, "sudo") != 0 && strcmp(method, "ansible.builtin.sudo") != 0)
        return err_with_hint(host_error(r, "ansible_become_method", "not supported:", method),
                             "there is sudo");
    TRY(text_variable(
        r,
        NAMES("ansible_become_password", "ansible_become_pass", "ansible_sudo_password", "ansible_sudo_pass"),
        &password));
    if (!password)
        return NULL;
    TRY(err_wrap(secret_new(password, strlen(password), &secret), "host '%s': ansible_become_password",
                 r->host->name));
    r->login->become_password = secret_keep(r->arena, secret);
    return NULL;
}

static struct err *refuse_password(const struct reading *r)
{
    const char *password = NULL;
    TRY(text_variable(r, NAMES("ansible_password", "ansible_ssh_pass", "ansible_ssh_password"), &password));
    if (password && !r->login->local)
        return err_with_hint(
            err_new(ERR_INPUT, "host '%s': logging in with a password is not supported", r->host->name),
            "use a key: ssh-copy-id, then ansible_ssh_private_key_file");
    return NULL;
}

struct err *hosts_read_login(struct arena *arena, const struct hosts_host *host, const json_t *extra_vars,
                             struct hosts_login *login)
{
    const char *short_name = arena_strndup(arena, host->name, strcspn(host->name, "."));
    json_t *magic =
        json_keep(arena, json_pack("{s:s, s:s, s:O}", "inventory_hostname", host->name,
                                   "inventory_hostname_short", short_name, "group_names", host->group_names));
    const struct expr_scope inner = {.vars = magic, .literal = true},
                            own = {.outer = &inner, .vars = host->vars},
                            outer = {.outer = &own, .vars = extra_vars};
    const struct reading r = {.arena = arena, .host = host, .env = {.scope = &outer}, .login = login};
    const char *key = NULL;
    if (!login->address)
        login->address = host->name;
    TRY(read_connection(&r));
    TRY(text_variable(&r, NAMES("ansible_host", "ansible_ssh_host"), &login->address));
    TRY(ssh_arguments(&r, "ansible_ssh_common_args"));
    TRY(ssh_arguments(&r, "ansible_ssh_extra_args"));
    TRY(port_variable(&r));
    TRY(text_variable(&r, NAMES("ansible_user", "ansible_ssh_user"), &login->user));
    TRY(text_variable(&r, NAMES("ansible_ssh_private_key_file", "ansible_private_key_file"), &key));
    if (key)
        login->key_file = fs_resolve(arena, NULL, key);
    TRY(refuse_password(&r));
    return read_become(&r);
}
