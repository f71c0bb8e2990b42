#include "cli/out.h"
#include "base/clock.h"
#include "base/scrub.h"
#include "base/strbuf.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The length of a sequence that only chooses colours, or 0. */
static size_t colour_at(const char *text)
{
    if (text[0] != '\033' || text[1] != '[')
        return 0;
    size_t length = 2 + strspn(text + 2, "0123456789;");
    return text[length] == 'm' ? length + 1 : 0;
}

/* Text of hosts goes to a terminal, which obeys it: what could move the cursor over other lines, or more,
 * becomes '?'. */
static void tame(struct strbuf *text)
{
    for (size_t i = 0; i < text->length; i++) {
        unsigned char *at = (unsigned char *)&text->data[i];
        size_t colour = colour_at(&text->data[i]);
        if (colour)
            i += colour - 1;
        else if ((*at < ' ' && *at != '\n' && *at != '\t') || *at == 0x7f)
            *at = '?';
        else if (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0) /* the same in one character of UTF-8 */
            at[0] = at[1] = '?';
    }
}

/* Everything that leaves the program passes the scrubber: a net beneath the rule that secrets have no
 * formatter. */
static void REHOST_PRINTF(2, 0) write_scrubbed(FILE *stream, const char *fmt, va_list args)
{
    CLEANUP_STRBUF struct strbuf raw, clean;
    strbuf_init(&raw, 0);
    strbuf_init(&clean, 0);
    strbuf_vaddf(&raw, fmt, args);
    scrub_text(raw.data, raw.length, &clean);
    tame(&clean);
    (void)fwrite(clean.data, 1, clean.length, stream);
    (void)fflush(stream);
}

void out_text(const struct cli *cli, const char *fmt, ...)
{
    if (cli->json)
        return;
    va_list args;
    va_start(args, fmt);
    write_scrubbed(stdout, fmt, args);
    va_end(args);
}

void out_info(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    write_scrubbed(stderr, fmt, args);
    va_end(args);
}

void out_erase_line(void)
{
    (void)fputs("\r\033[K\033[1A\033[K", stderr);
    (void)fflush(stderr);
}

void out_error(const struct cli *cli, struct err *e)
{
    out_info("%sXX%s %s\n", cli->color ? "\033[31m" : "", cli->color ? "\033[0m" : "", err_text(e));
    if (err_hint(e))
        out_info("   %s\n", err_hint(e));
}

static void REHOST_PRINTF(1, 2) print_document(const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    write_scrubbed(stdout, fmt, args);
    va_end(args);
}

void out_finish(const struct cli *cli, struct err *e, int exit_code)
{
    if (!cli->json)
        return;
    json_t *error = e ? json_pack("{s:s, s:s, s:s?}", "kind", err_kind_name(err_kind(e)), "message",
                                  err_text(e), "hint", err_hint(e))
                      : json_null();
    json_t *data = cli->data ? json_incref(cli->data) : json_null();
    json_t *document =
        json_pack("{s:s, s:s, s:i, s:o, s:o}", "schema", "rehost/1", "command",
                  cli->command ? cli->command->name : "", "exit", exit_code, "data", data, "error", error);
    char *text = json_dumps(document, JSON_INDENT(1));
    print_document("%s\n", text);
    free(text);
    json_decref(document);
}

const char *out_bytes(struct arena *arena, int64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t unit = 0;
    for (; value >= 1024 && unit < 4; unit++)
        value /= 1024;
    return unit ? arena_printf(arena, "%.1f %s", value, units[unit])
                : arena_printf(arena, "%lld B", (long long)bytes);
}

const char *out_duration(struct arena *arena, int64_t ms)
{
    char text[CLOCK_TEXT_SIZE];
    return arena_strdup(arena, clock_format_duration(ms, text));
}

const char *out_time(struct arena *arena, int64_t epoch_ms)
{
    char text[CLOCK_TEXT_SIZE];
    return epoch_ms ? arena_strdup(arena, clock_format_utc(epoch_ms, text)) : "-";
}
