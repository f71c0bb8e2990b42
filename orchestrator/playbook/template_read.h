/* The outer syntax of templates: text, comments, raw parts and the tokens of tags, with white space
 * controlled as Jinja does. Used by template_parse.c alone. Nodes and tokens live in the reader's arena and
 * point into its text. One thread. */
#pragma once
#include "playbook/template_ast.h"

enum template_tag { TAG_VARIABLE, TAG_BLOCK, TAG_COMMENT, TAG_NONE };

struct reader {
    struct arena *arena;
    const struct expr_place *place;
    const struct template_syntax *syntax;
    const char *text;
    size_t length, at;
    int line;
    int depth;
    bool strip;       /* the tag before ended with '-' */
    bool trim;        /* one newline goes: trim_blocks */
    size_t loop_uses; /* expressions so far that mention `loop` */
    struct call_names calls;
    struct template_node *blocks, **last_block;
};

/* The statement that ended a body, and its tokens. */
struct ending {
    const char *name; /* NULL: end of the template */
    struct parser parser;
};

struct node_list {
    struct template_node *first, **last;
};

/* A node at byte `from` of the text, in the line that the reader is at. */
struct template_node *reader_new_node(struct reader *r, enum template_node_type type, size_t from);
void reader_append(struct node_list *list, struct template_node *node);
/* Text up to the next tag, less what the tags around it strip; says which tag that is. */
void reader_read_text(struct reader *r, struct node_list *list, enum template_tag *tag);
struct err *reader_read_comment(struct reader *r) REHOST_MUST_CHECK;
/* The part between raw and endraw as text; *was_raw is false, and nothing is read, when the tag at r->at is
 * another. */
struct err *reader_read_raw(struct reader *r, struct node_list *list, bool *was_raw) REHOST_MUST_CHECK;
/* The tokens of the tag at r->at, which moves behind it. */
struct err *reader_read_tokens(struct reader *r, enum template_tag tag, struct parser *p) REHOST_MUST_CHECK;
/* The nodes up to the statement that ends what `opened_by` opened (NULL: the end of the template).
 * template_parse.c. */
struct err *reader_read_body(struct reader *r, const char *opened_by, int opened_at,
                             struct template_node **first, struct ending *ending) REHOST_MUST_CHECK;
/* The name may be called in this template: a macro's, or of a variable that may hold one. */
void reader_declare(struct reader *r, const char *name);
/* Statements that name other templates or parts: template_parse_parts.c. *known is false when the statement
 * is none of them. */
struct err *template_parse_part(struct reader *r, struct parser *p, struct template_node *node,
                                bool *known) REHOST_MUST_CHECK;
/* Counts in r->loop_uses when the expression (or NULL) mentions `loop`. */
void reader_note_loop_use(struct reader *r, const struct expr_node *expr);
