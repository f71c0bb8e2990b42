/* Operators, with Python's meaning; whole numbers have 64 bits and an overflow is an error. */
#include "playbook/expr_eval.h"
#include "playbook/filter.h"
#include <math.h>
#include <string.h>

static struct err *overflow(void)
{
    return err_new(ERR_INPUT, "the result does not fit in 64 bits");
}

static struct err *mismatch(enum expr_op op, const json_t *left, const json_t *right)
{
    static const char *const signs[] = {"+", "-", "*", "/", "//", "%", "**"};
    struct err *e = err_new(ERR_INPUT, "'%s' does not work on %s and %s", signs[op], value_type_name(left),
                            value_type_name(right));
    if (op == OP_ADD && (json_is_string(left) || json_is_string(right)))
        return err_with_hint(e, "join text with ~, or convert with | int or | string");
    return e;
}

static struct err *power(struct eval *ev, json_int_t base, json_int_t exponent, json_t **out)
{
    json_int_t result = 1;
    if (exponent < 0)
        return pool_real(ev->pool, pow((double)base, (double)exponent), out);
    if (exponent > 64 && base != 0 && base != 1 && base != -1)
        return overflow();
    if (exponent > 64)
        exponent = 64 + exponent % 2;
    while (exponent-- > 0)
        if (__builtin_mul_overflow(result, base, &result))
            return overflow();
    return pool_integer(ev->pool, result, out);
}

/* Rounds down, as Python does; C rounds towards zero. */
static json_int_t floor_divide(json_int_t a, json_int_t b)
{
    return a / b - (a % b != 0 && (a % b < 0) != (b < 0));
}

static struct err *integer_op(struct eval *ev, enum expr_op op, json_int_t a, json_int_t b, json_t **out)
{
    json_int_t result = 0;
    bool over = false;
    if ((op == OP_DIVIDE || op == OP_FLOOR || op == OP_MODULO) && b == 0)
        return err_new(ERR_INPUT, "division by zero");
    if ((op == OP_FLOOR || op == OP_MODULO) && b == -1) /* the one quotient that overflows has this divisor */
        over = op == OP_FLOOR ? __builtin_sub_overflow((json_int_t)0, a, &result) : (result = 0, false);
    else if (op == OP_FLOOR)
        result = floor_divide(a, b);
    else if (op == OP_MODULO)
        result = a - floor_divide(a, b) * b;
    else if (op == OP_ADD)
        over = __builtin_add_overflow(a, b, &result);
    else if (op == OP_SUBTRACT)
        over = __builtin_sub_overflow(a, b, &result);
    else if (op == OP_MULTIPLY)
        over = __builtin_mul_overflow(a, b, &result);
    else if (op == OP_DIVIDE)
        return pool_real(ev->pool, (double)a / (double)b, out);
    else
        return power(ev, a, b, out);
    return over ? overflow() : pool_integer(ev->pool, result, out);
}

static struct err *real_op(struct eval *ev, enum expr_op op, double a, double b, json_t **out)
{
    if ((op == OP_DIVIDE || op == OP_FLOOR || op == OP_MODULO) && b == 0)
        return err_new(ERR_INPUT, "division by zero");
    switch (op) {
    case OP_ADD:
        return pool_real(ev->pool, a + b, out);
    case OP_SUBTRACT:
        return pool_real(ev->pool, a - b, out);
    case OP_MULTIPLY:
        return pool_real(ev->pool, a * b, out);
    case OP_DIVIDE:
        return pool_real(ev->pool, a / b, out);
    case OP_FLOOR:
        return pool_real(ev->pool, floor(a / b), out);
    case OP_MODULO:
        return pool_real(ev->pool, a - floor(a / b) * b, out);
    default:
        return pool_real(ev->pool, pow(a, b), out);
    }
}

static struct err *join_lists(struct eval *ev, const json_t *left, const json_t *right, json_t **out)
{
    bool tuple = pool_kind(ev->pool, left) == MARK_TUPLE;
    json_t *list = json_array();
    json_array_extend(list, (json_t *)(uintptr_t)left);
    json_array_extend(list, (json_t *)(uintptr_t)right);
    if (tuple)
        return eval_tuple(ev, list, out);
    TRY(pool_keep(ev->pool, list, out));
    pool_mark(ev->pool, *out)->own = true;
    return NULL;
}

static struct err *join_texts(struct eval *ev, const json_t *left, const json_t *right, json_t **out)
{
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    value_add_text(&sb, ev->pool, left);
    value_add_text(&sb, ev->pool, right);
    return pool_buffer(ev->pool, &sb, out);
}

/* 'ab' * 3 and [1] * 3 */
static struct err *repeat(struct eval *ev, const json_t *value, json_int_t times, json_t **out)
{
    size_t size = json_is_string(value) ? json_string_length(value) : 16 * json_array_size(value);
    if (times > 0 && size > VALUE_MAX_TEXT / (size_t)times)
        return err_new(ERR_INPUT, "the result is longer than 16 MiB");
    if (size == 0)
        times = 0;
    if (json_is_array(value)) {
        json_t *list = json_array();
        for (json_int_t i = 0; i < times; i++)
            json_array_extend(list, (json_t *)(uintptr_t)value);
        return pool_keep(ev->pool, list, out);
    }
    CLEANUP_STRBUF struct strbuf sb;
    strbuf_init(&sb, VALUE_MAX_TEXT);
    for (json_int_t i = 0; i < times; i++)
        value_add_text(&sb, NULL, value);
    return pool_buffer(ev->pool, &sb, out);
}

static struct err *format_text(struct eval *ev, const json_t *format, json_t *right, json_t **out)
{
    const char *text = json_string_value(format);
    if (pool_kind(ev->pool, right) != MARK_TUPLE)
        return eval_percent(ev, text, &right, 1, json_is_object(right) || json_is_array(right) ? right : NULL,
                            out);
    size_t count = json_array_size(right);
    json_t **values = arena_array(ev->pool->arena, count + 1, sizeof(json_t *));
    for (size_t i = 0; i < count; i++)
        values[i] = json_array_get(right, i);
    return eval_percent(ev, text, values, count, NULL, out);
}

struct err *eval_binary(struct eval *ev, enum expr_op op, json_t *left, json_t *right, json_t **out)
{
    bool done = false;
    if (op == OP_SUBTRACT)
        TRY(time_difference(ev, left, right, &done, out));
    if (done)
        return NULL;
    if (value_is_int(left) && value_is_int(right))
        return integer_op(ev, op, value_integer(left), value_integer(right), out);
    if (value_is_number(left) && value_is_number(right))
        return real_op(ev, op, value_number(left), value_number(right), out);
    if (op == OP_ADD && json_is_string(left) && json_is_string(right))
        return join_texts(ev, left, right, out);
    if (op == OP_ADD && json_is_array(left) && json_is_array(right))
        return join_lists(ev, left, right, out);
    if (op == OP_MULTIPLY && (json_is_string(left) || json_is_array(left)) && value_is_int(right))
        return repeat(ev, left, value_integer(right), out);
    if (op == OP_MULTIPLY && (json_is_string(right) || json_is_array(right)) && value_is_int(left))
        return repeat(ev, right, value_integer(left), out);
    if (op == OP_MODULO && json_is_string(left))
        return format_text(ev, left, right, out);
    return mismatch(op, left, right);
}

struct err *eval_contains(json_t *container, const json_t *item, bool *truth)
{
    *truth = false;
    if (json_is_array(container)) {
        for (size_t i = 0; !*truth && i < json_array_size(container); i++)
            *truth = value_equal(json_array_get(container, i), item);
        return NULL;
    }
    if (json_is_object(container)) {
        if (json_is_array(item) || json_is_object(item))
            return err_new(ERR_INPUT, "%s cannot be the key of a map", value_type_name(item));
        *truth = json_is_string(item) && json_object_get(container, json_string_value(item)) != NULL;
        return NULL;
    }
    if (!json_is_string(container))
        return err_new(ERR_INPUT, "'in' needs a list, a map or text on its right, but got %s",
                       value_type_name(container));
    if (!json_is_string(item))
        return err_new(ERR_INPUT, "'in' looks for text in text, but got %s", value_type_name(item));
    *truth = memmem(json_string_value(container), json_string_length(container), json_string_value(item),
                    json_string_length(item)) != NULL;
    return NULL;
}

struct err *eval_compare(struct eval *ev, enum expr_op op, json_t *left, json_t *right, bool *truth)
{
    TRY(pool_spend(ev->pool, json_is_array(right) ? json_array_size(right) : 0));
    if (op == OP_EQ || op == OP_NE) {
        *truth = value_equal(left, right) == (op == OP_EQ);
        return NULL;
    }
    if (op == OP_IN || op == OP_NOT_IN) {
        TRY(eval_contains(right, left, truth));
        *truth = *truth == (op == OP_IN);
        return NULL;
    }
    int order;
    TRY(value_compare(left, right, &order));
    *truth = op == OP_LT ? order < 0 : op == OP_LE ? order <= 0 : op == OP_GT ? order > 0 : order >= 0;
    return NULL;
}
