/* Any bytes as an S3 answer: parsed or refused, and every accessor bears what was parsed. */
#include "base/s3xml.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP_ARENA struct arena *arena = arena_new(0);
    xmlDocPtr doc CLEANUP_XML = s3xml_parse((const char *)data, size);
    (void)s3xml_root_name(doc);
    (void)s3xml_text(arena, doc, NULL, "Code");
    for (xmlNodePtr part = s3xml_child(doc, NULL, "Part"); part; part = s3xml_next(part)) {
        (void)s3xml_int(doc, part, "Size");
        (void)s3xml_text(arena, doc, part, "ETag");
    }
    return 0;
}
