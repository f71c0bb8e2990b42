/* Results as a hostile host could send them. */
#include "fuzz.h"
#include "playbook/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const nonces[2] = {"n0nce", "0ther"};
    struct strbuf in;
    strbuf_init(&in, 0);
    strbuf_adds(&in, "n0nce 7 ok ");
    strbuf_add(&in, data, size);
    struct frame frame = {0};
    bool found;
    struct err *e = frame_take(&in, nonces, 7, &frame, &found);
    if (!e && found)
        json_decref(frame.values);
    err_free(e);
    strbuf_free(&in);
    json_t *values;
    e = frame_parse_payload((const char *)data, size, &values);
    if (!e)
        json_decref(values);
    err_free(e);
    return 0;
}
