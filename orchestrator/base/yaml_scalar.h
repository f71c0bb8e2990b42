/* What a scalar of YAML 1.1 means, and words that are nearly alike. Used by yaml.c and where YAML is written.
 *
 * Source of the forms: the YAML 1.1 type repository (yaml.org/type) in the reading of PyYAML, which Ansible uses.
 */
#pragma once
#include "base/yaml.h"

/* YAML_NULL, BOOL, INT, FLOAT or STRING. Whole numbers beyond 64 bits, infinities, NaN and dates count as text. */
enum yaml_type yaml_scalar_type(const char *text, size_t length);
/* The scalar as JSON (new reference). */
json_t *yaml_scalar_json(enum yaml_type type, const char *text, size_t length);
/* The type that a core tag asks for; false for other tags. */
bool yaml_scalar_tag(const char *tag, enum yaml_type *type);
/* The offset of the first NUL or byte that is not UTF-8, or `length`. */
size_t yaml_scalar_bad_byte(const char *text, size_t length);
