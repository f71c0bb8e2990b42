/* A task's module and arguments as they are written. Internal to parse.c and args.c. */
#pragma once
#include "playbook/play.h"

/* `value` is what stands after "module:", `more` what stands under "args:" (either may be NULL). Fills
 * entry->args and entry->text. */
struct err *args_parse(struct loader *loader, struct entry *entry, const char *written,
                       const struct yaml_node *value, const struct yaml_node *more) REHOST_MUST_CHECK;
