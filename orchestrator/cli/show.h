/* Screens that several commands show. */
#pragma once
#include "cli/cli.h"

void show_plan(struct cli *cli, const struct plan *plan, bool saved);
/* The end of a run and the body of its report: objectives, data, server. */
void show_verdict(struct cli *cli, const json_t *verdict);
/* Whether the plan needs a human's attention: warnings, or a forecast beyond the objectives. */
bool show_plan_needs_attention(const struct plan *plan);
/* From the incident until the service is up again. */
int64_t show_plan_forecast_ms(const struct plan *plan);
/* What the plan would change and its warnings, without times. */
void show_changes(struct cli *cli, const struct plan *plan);
