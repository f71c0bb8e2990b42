/* Any bytes: the parser answers with a tree or ERR_INPUT, and a tree can be turned into JSON. */
#include "base/yaml.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    const struct yaml_node *root;
    CLEANUP_ERR struct err *e = yaml_parse(arena, "fuzz.yml", (const char *)data, size, &root);
    if (e) {
        if (err_kind(e) != ERR_INPUT)
            abort();
        return 0;
    }
    json_auto_t *value = yaml_to_json(root);
    if (!value)
        abort();
    return 0;
}
