/* The only writer of stdout, and of errors on stderr. Text is dropped when --json was given; the JSON
 * document comes at the end. */
#pragma once
#include "cli/cli.h"

void out_text(const struct cli *cli, const char *fmt, ...) REHOST_PRINTF(2, 3);
/* stderr: for people, also with --json. */
void out_info(const char *fmt, ...) REHOST_PRINTF(1, 2);
/* Takes the last line on stderr back. Nothing else moves the cursor: control characters in texts become '?'. */
void out_erase_line(void);
/* "XX what was attempted: why" and the hint. */
void out_error(const struct cli *cli, struct err *e);
/* The JSON document, when --json was given. */
void out_finish(const struct cli *cli, struct err *e, int exit_code);
/* "4.1 GiB" into the arena */
const char *out_bytes(struct arena *arena, int64_t bytes);
/* "12m05s" */
const char *out_duration(struct arena *arena, int64_t ms);
/* "2026-11-20T02:41:00Z", "-" for 0 */
const char *out_time(struct arena *arena, int64_t epoch_ms);
