/* Time: wall time in UTC for people and journals, boot time for waiting. */
#pragma once
#include "base/arena.h"
#include "base/err.h"
#include <stdint.h>

int64_t clock_now_ms(void);  /* since the epoch, UTC */
int64_t clock_boot_ms(void); /* CLOCK_BOOTTIME: goes on while a laptop sleeps */

#define CLOCK_TEXT_SIZE 32
/* "2026-11-20T02:41:00Z" into buf of CLOCK_TEXT_SIZE; returns buf. */
const char *clock_format_utc(int64_t epoch_ms, char *buf);
/* "02:41:00" */
const char *clock_format_hms(int64_t epoch_ms, char *buf);
/* "20261120_024100" as the reference plans name restore points */
const char *clock_format_stamp(int64_t epoch_ms, char *buf);
/* A length of time as people say it: "850ms", "42s", "12m05s", "3h20m", "9d". */
const char *clock_format_duration(int64_t ms, char *buf);
/* Accepts "2026-11-20T02:41:00Z", "2026-11-20 02:41[:00]", "20261120_024100"; always UTC. Also what APIs write: a fraction of
 * a second, "+00:00" for "Z", or nothing for it. ERR_INPUT otherwise, also for a day or hour that does not exist and before 1970. */
struct err *clock_parse_utc(const char *text, int64_t *epoch_ms) REHOST_MUST_CHECK;
/* Accepts "90s", "15m", "1h", "1h30m", "2d", "250ms". ERR_INPUT otherwise. */
struct err *clock_parse_duration(const char *text, int64_t *ms) REHOST_MUST_CHECK;
