/* From YAML to entries. Internal to parse*.c and args.c. Strict: what Ansible would ignore or rehost cannot
 * do is an error with its place. */
#pragma once
#include "playbook/play.h"

/* --- parse_keyword.c --- */
/* The error for a key that is no keyword of a `where` ("play", "block"). */
struct err *parse_unknown_key(struct loader *loader, const struct yaml_node *key, unsigned place,
                              const char *where) REHOST_MUST_CHECK;
/* Whether Ansible knows that keyword and rehost does not. */
bool keyword_is_refused(const char *name);
/* Checks the value of a keyword and, unless it is a list of entries, keeps it. */
struct err *parse_keyword(struct loader *loader, struct entry *entry, enum keyword keyword,
                          const struct yaml_node *key, const struct yaml_node *value) REHOST_MUST_CHECK;
/* Every template in the value. */
struct err *parse_check_templates(struct loader *loader, const struct yaml_node *value) REHOST_MUST_CHECK;
/* Its value is a list of entries, or arguments. */
bool keyword_is_section(enum keyword keyword);

/* --- parse.c --- */
struct entry *entry_new(struct loader *loader, const struct yaml_node *node, const struct entry *parent,
                        const struct role *role, enum entry_kind kind);

/* --- parse_task.c --- */
struct err *parse_task(struct loader *loader, const struct yaml_node *node, const struct entry *parent,
                       const struct role *role, unsigned place, struct entry_list *out) REHOST_MUST_CHECK;

/* --- foreign.c: modules for other systems --- */
/* Which system, or NULL. */
const char *foreign_system(const char *name);
/* ERR_INPUT unless a condition decides whether the entry is reached. */
struct err *foreign_check(const struct entry *entry) REHOST_MUST_CHECK;
/* Whether an argument that is not known may be one of another system's package or service manager. */
bool foreign_is_option(const struct loader *loader, const struct entry *entry);
/* What stands in for such a module. */
const struct module_spec *foreign_spec(struct arena *arena, const char *name);

/* --- args.c --- */
/* A task's module and arguments as they are written: `value` is what stands after "module:", `more` what
 * stands under "args:" (or NULL). Fills entry->args and entry->text. */
struct err *args_parse(struct loader *loader, struct entry *entry, const struct yaml_node *value,
                       const struct yaml_node *more) REHOST_MUST_CHECK;
/* The value of module_defaults. */
struct err *args_check_defaults(struct loader *loader, const struct yaml_node *value) REHOST_MUST_CHECK;
