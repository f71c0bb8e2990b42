#include "base/s3xml.h"
#include <libxml/parser.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define as_text(xml_string) ((const char *)(xml_string))

xmlDocPtr s3xml_parse(const char *text, size_t length)
{
    if (length == 0 || length > INT_MAX)
        return NULL;
    xmlDocPtr doc =
        xmlReadMemory(text, (int)length, NULL, NULL,
                      XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOBLANKS);
    if (doc && (doc->intSubset || doc->extSubset)) {
        xmlFreeDoc(doc);
        return NULL;
    }
    return doc;
}

const char *s3xml_root_name(const xmlDoc *doc)
{
    xmlNodePtr root = doc ? xmlDocGetRootElement(doc) : NULL;
    return root ? as_text(root->name) : "";
}

static xmlNodePtr find(xmlNodePtr node, const char *name)
{
    for (; node; node = node->next)
        if (node->type == XML_ELEMENT_NODE && !strcmp(as_text(node->name), name))
            return node;
    return NULL;
}

xmlNodePtr s3xml_child(const xmlDoc *doc, const xmlNode *node, const char *name)
{
    if (!node)
        node = doc ? xmlDocGetRootElement(doc) : NULL;
    return node ? find(node->children, name) : NULL;
}

xmlNodePtr s3xml_next(const xmlNode *node)
{
    return find(node->next, as_text(node->name));
}

const char *s3xml_text(struct arena *arena, const xmlDoc *doc, const xmlNode *node, const char *name)
{
    xmlNodePtr child = s3xml_child(doc, node, name);
    xmlChar *content = child ? xmlNodeGetContent(child) : NULL;
    const char *text = content ? arena_strdup(arena, as_text(content)) : "";
    xmlFree(content);
    return text;
}

int64_t s3xml_int(const xmlDoc *doc, const xmlNode *node, const char *name)
{
    xmlNodePtr child = s3xml_child(doc, node, name);
    xmlChar *content = child ? xmlNodeGetContent(child) : NULL;
    char *end;
    long long value = content ? strtoll(as_text(content), &end, 10) : 0;
    if (content && *end)
        value = 0;
    xmlFree(content);
    return value;
}
