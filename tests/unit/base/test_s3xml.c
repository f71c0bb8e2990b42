/* XML from a store that may be hostile. */
#include "base/s3xml.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static xmlDocPtr parse(const char *text)
{
    return s3xml_parse(text, strlen(text));
}

static void values_are_found_by_name_whatever_the_namespace(void **state)
{
    (void)state;
    struct arena *arena CLEANUP_ARENA = arena_new(0);
    xmlDocPtr doc CLEANUP_XML =
        parse("<R xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Part><Size>7</Size><ETag>&quot;a&amp;b"
              "&quot;</ETag></Part><x/><Part><Size>8</Size></Part></R>");
    assert_string_equal(s3xml_root_name(doc), "R");
    xmlNodePtr part = s3xml_child(doc, NULL, "Part");
    assert_int_equal(s3xml_int(doc, part, "Size"), 7);
    assert_string_equal(s3xml_text(arena, doc, part, "ETag"), "\"a&b\"");
    part = s3xml_next(part);
    assert_int_equal(s3xml_int(doc, part, "Size"), 8);
    assert_string_equal(s3xml_text(arena, doc, part, "ETag"), "");
    assert_null(s3xml_next(part));
}

static void a_document_type_is_refused_so_that_entities_cannot_grow(void **state)
{
    (void)state;
    assert_null(
        parse("<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><Error><Code>&b;</Code></Error>"));
    assert_null(parse("<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><Error/>"));
    assert_null(
        parse("<!DOCTYPE x [<!ENTITY f SYSTEM \"file:///etc/passwd\">]><Error><Code>&f;</Code></Error>"));
}

static void what_is_not_xml_is_refused(void **state)
{
    (void)state;
    struct arena *arena CLEANUP_ARENA = arena_new(0);
    assert_null(parse(""));
    assert_null(parse("<html><p>busy"));
    assert_null(parse("{\"json\": 1}"));
    assert_string_equal(s3xml_root_name(NULL), "");
    assert_string_equal(s3xml_text(arena, NULL, NULL, "Code"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_found_by_name_whatever_the_namespace),
        cmocka_unit_test(a_document_type_is_refused_so_that_entities_cannot_grow),
        cmocka_unit_test(what_is_not_xml_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
