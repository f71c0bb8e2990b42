/* Expressions as tokens and as a tree. Internal to the expression engine.
 *
 * Tokens and nodes live in the arena, constants too (released with it). A node is at most 200 levels high, so
 * that walking a tree by recursion is safe. Threads: a tree is read-only.
 */
#pragma once
#include "playbook/expr.h"
#include <stddef.h>

enum token_type { TOKEN_END, TOKEN_NAME, TOKEN_TEXT, TOKEN_INTEGER, TOKEN_REAL, TOKEN_OPERATOR };

struct token {
    enum token_type type;
    const char *text; /* name, operator or decoded text */
    size_t length;
    json_int_t integer;
    double real;
    int line;
    size_t offset; /* of its first byte in the source */
};

/* Reads tokens from source[*offset] until `end_mark` ("}}" or "%}") outside of brackets, or the end of the
 * source when it is NULL. Afterwards *offset is at the mark's first byte (a '-' or '+' before it belongs to
 * the mark). With `raw_text`, backslashes in quoted text stand for themselves, as in the {{ }} of a playbook.
 */
struct lex_input {
    struct arena *arena;
    const struct expr_place *place; /* line: of the source's first byte */
    const char *source;
    size_t length;
    const char *end_mark;
    bool raw_text;
};
struct err *expr_lex(const struct lex_input *input, size_t *offset, int line, struct token **tokens,
                     size_t *count) REHOST_MUST_CHECK;

enum node_type {
    NODE_CONST,   /* value */
    NODE_NAME,    /* name */
    NODE_LIST,    /* args */
    NODE_TUPLE,   /* args */
    NODE_DICT,    /* args: key, value, key, value */
    NODE_ATTR,    /* left.name */
    NODE_ITEM,    /* left[right] */
    NODE_SLICE,   /* left[args 0:1:2], absent parts NULL */
    NODE_CALL,    /* name(args), or left(args) when name is NULL */
    NODE_METHOD,  /* left.name(args) */
    NODE_FILTER,  /* left | name(args) */
    NODE_TEST,    /* left is name(args) */
    NODE_NOT,     /* left */
    NODE_MINUS,   /* left */
    NODE_PLUS,    /* left */
    NODE_AND,     /* left, right */
    NODE_OR,      /* left, right */
    NODE_BINARY,  /* left op right */
    NODE_CONCAT,  /* args joined by ~ */
    NODE_COMPARE, /* args 0 ops[0] args 1 ops[1] args 2 ... */
    NODE_IF       /* left if condition else right (NULL: undefined) */
};

enum expr_op {
    OP_ADD,
    OP_SUBTRACT,
    OP_MULTIPLY,
    OP_DIVIDE,
    OP_FLOOR,
    OP_MODULO,
    OP_POWER,
    OP_EQ,
    OP_NE,
    OP_LT,
    OP_LE,
    OP_GT,
    OP_GE,
    OP_IN,
    OP_NOT_IN
};

struct expr_node {
    enum node_type type;
    int line;
    int height;
    enum expr_op op;
    const char *name;
    json_t *value;
    const struct expr_node *left, *right, *condition;
    const struct expr_node **args;
    size_t arg_count;
    const char **named; /* keyword arguments: named[i] belongs to named_args[i] */
    const struct expr_node **named_args;
    size_t named_count;
    const enum expr_op *ops;
    const void *callee; /* struct filter or struct expr_test */
};

/* Names that a template calls, and those that it declares, so that they may be called. */
struct call_name {
    const char *name;
    int line;
    struct call_name *next;
};
struct call_names {
    struct call_name *called, *declared;
};

struct parser {
    struct arena *arena;
    const struct expr_place *place;
    const char *source; /* for messages */
    size_t source_length;
    const struct token *tokens;
    size_t at, count;
    int depth;
    struct call_names *calls; /* NULL: only functions can be called, as in a condition */
};

/* The whole of `text` as one expression. A condition may not be `a if b else c`, unless in parentheses:
 * Jinja's rule. */
struct err *expr_parse_text(struct arena *arena, const struct expr_place *place, const char *text,
                            bool condition, const struct expr_node **node) REHOST_MUST_CHECK;
struct err *expr_parse(struct parser *p, const struct expr_node **node) REHOST_MUST_CHECK;
struct err *expr_parse_without_if(struct parser *p,
                                  const struct expr_node **node) REHOST_MUST_CHECK; /* after `for x in` */
/* One expression, or several separated by commas as a tuple. */
struct err *expr_parse_tuple(struct parser *p, bool with_if, const struct expr_node **node) REHOST_MUST_CHECK;
/* The `| name(args)...` part of {% filter name %}, around `inner`. */
struct err *expr_parse_filter_chain(struct parser *p, const struct expr_node *inner,
                                    const struct expr_node **node) REHOST_MUST_CHECK;

const struct token *parser_peek(const struct parser *p);
bool parser_is_op(const struct parser *p, const char *op);
bool parser_is_name(const struct parser *p, const char *name);
bool parser_accept_op(struct parser *p, const char *op);
bool parser_accept_name(struct parser *p, const char *name);
struct err *parser_expect_op(struct parser *p, const char *op) REHOST_MUST_CHECK;
struct err *parser_expect_end(struct parser *p) REHOST_MUST_CHECK;
/* ERR_INPUT at the current token. */
struct err *parser_error(const struct parser *p, const char *fmt, ...) REHOST_PRINTF(2, 3) REHOST_MUST_CHECK;
/* The same with an explicit line. */
struct err *expr_error(const struct expr_place *place, int line, const char *fmt, ...)
    REHOST_PRINTF(3, 4) REHOST_MUST_CHECK;

/* Making nodes: a node's children are added, then it passes node_finish(), which bounds its height. */
struct expr_node *node_new(struct parser *p, enum node_type type);
struct err *node_finish(struct parser *p, struct expr_node *node,
                        const struct expr_node **out) REHOST_MUST_CHECK;
struct err *node_finish_two(struct parser *p, enum node_type type, enum expr_op op,
                            const struct expr_node *left, const struct expr_node *right,
                            const struct expr_node **out) REHOST_MUST_CHECK;
void node_push_arg(struct parser *p, struct expr_node *node, const struct expr_node *arg);
void node_push_named(struct parser *p, struct expr_node *node, const char *name, const struct expr_node *arg);
/* Owns `fresh`; NULL (not UTF-8, not finite) is an error. */
struct err *node_const(struct parser *p, json_t *fresh, const struct expr_node **out) REHOST_MUST_CHECK;
/* Bounds the parser's own recursion; the caller takes 1 off p->depth when it is done. */
struct err *parser_enter(struct parser *p) REHOST_MUST_CHECK;
const char *parser_token_name(const struct token *token); /* for messages */
struct err *expr_parse_unary(struct parser *p, bool with_filters,
                             const struct expr_node **out) REHOST_MUST_CHECK;

/* Calls `visit` for every variable name that the tree reads. */
void expr_walk_names(const struct expr_node *node, void (*visit)(void *context, const char *name),
                     void *context);
