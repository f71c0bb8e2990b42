/* S3's answers in XML, read with libxml2: no network, no document type, no entities; element names without namespaces. */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include <libxml/tree.h>

static inline void s3xml_freep(xmlDocPtr *doc)
{
    xmlFreeDoc(*doc);
}
#define CLEANUP_XML __attribute__((cleanup(s3xml_freep)))

/* The parsed document; NULL when the text is not such XML. */
xmlDocPtr s3xml_parse(const char *text, size_t length);
const char *s3xml_root_name(const xmlDoc *doc); /* "" without a root */
/* The first child element with this name of `node` (or of the root when `node` is NULL); NULL when there is none. */
xmlNodePtr s3xml_child(const xmlDoc *doc, const xmlNode *node, const char *name);
/* The next sibling element with the same name. */
xmlNodePtr s3xml_next(const xmlNode *node);
/* The text of that child, in the arena; "" when there is none. */
const char *s3xml_text(struct arena *arena, const xmlDoc *doc, const xmlNode *node, const char *name);
int64_t s3xml_int(const xmlDoc *doc, const xmlNode *node, const char *name); /* 0 when missing or not a number */
