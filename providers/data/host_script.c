#include "providers/data/host_script.h"

#include <stdlib.h>
#include <string.h>

/* ---- what all scripts share ---- */

static const char prelude[] =
    "umask 077\n"
    "cd /\n"
    "exec 3>&1\n"
    "report() { printf '%s\\n' \"$*\" >&3; }\n"
    "fail() {\n"
    "    echo \"$*\" >&2\n"
    "    exit 1\n"
    "}\n"
    "need() {\n"
    "    local pair missing=\n"
    "    for pair in \"$@\"; do\n"
    "        command -v \"${pair%%:*}\" >/dev/null || missing=\"$missing ${pair##*:}\"\n"
    "    done\n"
    "    [ -z \"$missing\" ] || fail \"this host lacks packages that backups need:$missing\"\n"
    "}\n"
    "need age:age zstd:zstd curl:curl openssl:openssl ";

static void add_prelude(const struct dataset_ops *ops, struct strbuf *script)
{
    strbuf_adds(script, prelude);
    for (size_t i = 0; ops->needs[i]; i++)
        strbuf_addf(script, "%s ", ops->needs[i]);
    strbuf_addc(script, '\n');
}

/* The spool holds ciphertext and lists of names with sizes; it is on disk because memory may be small. */
static const char spool_script[] = "spool=/var/tmp/rehost-$job\n"
                                   "rm -rf --one-file-system \"$spool\"\n"
                                   "mkdir \"$spool\"\n"
                                   "trap 'clean_up $?' EXIT\n"
                                   "trap 'exit 1' TERM INT HUP\n";

/* Names the first program of the pipe that failed by itself: 141 is a death by a closed pipe, a consequence.
 */
static const char verdict_script[] =
    "verdict() {\n"
    "    local i first= all=\n"
    "    for i in \"${!codes[@]}\"; do\n"
    "        all=\"$all ${stages[i]}=${codes[i]}\"\n"
    "        ((codes[i] == 0 || codes[i] == 141)) || first=${first:-$i}\n"
    "    done\n"
    "    for i in \"${!codes[@]}\"; do\n"
    "        ((codes[i] == 0)) || first=${first:-$i}\n"
    "    done\n"
    "    [ -n \"$first\" ] || return 0\n"
    "    cause=${stages[first]}\n"
    "    echo \"'$cause' ended with code ${codes[first]} (all exit codes:$all)\" >&2\n"
    "    return 1\n"
    "}\n";

/* transfer ADDRESS ANSWER-FILE CURL-ARGUMENTS...: one request, sent again after what may pass. The address is
 * a credential: it stays inside the shell and reaches curl on stdin. curl's own --retry would also repeat
 * what cannot get better, such as a full disk. */
static const char transfer_script[] =
    "transfer() {\n"
    "    local url=$1 answer=$2 pause code status\n"
    "    shift 2\n"
    "    for pause in 1 2 4 8 16 32 end; do\n"
    "        code=0\n"
    "        status=$(printf 'url = \"%s\"\\n' \"$url\" |\n"
    "            curl -sS --connect-timeout 30 --speed-limit 1024 --speed-time 60 \\\n"
    "                -w '%{http_code}' -o \"$answer\" \"$@\" -K -) || code=$?\n"
    "        case $code-$status in\n"
    "        0-2*) return 0 ;;\n"
    "        0-400 | 0-408 | 0-429 | 0-5*) ;;\n"
    "        0-*) break ;;\n"
    "        23-*)\n"
    "            echo \"cannot write below '$spool', where $(df -h --output=avail "
    "\"$spool\" | tail -n 1 | tr -d ' ') are free\" >&2\n"
    "            break ;;\n"
    "        2-* | 3-* | 26-* | 27-*) break ;;\n"
    "        esac\n"
    "        [ \"$pause\" = end ] || sleep \"$pause\"\n"
    "    done\n"
    "    if ((code == 0)); then\n"
    "        echo \"the store answered $status: $(head -c 600 \"$answer\" | tr -d '\\000-\\037')\" >&2\n"
    "    fi\n"
    "    return 1\n"
    "}\n";

void host_script_inspect(const struct dataset_ops *ops, const struct dataset *dataset, struct strbuf *script)
{
    strbuf_adds(script, "set -euo pipefail\n");
    add_prelude(ops, script);
    ops->add_inspect(dataset, script);
    strbuf_adds(script, "inspect\n");
}

/* ---- backup ---- */

static const char send_script[] =
    "clean_up() {\n"
    "    rm -rf --one-file-system \"$spool\"\n"
    "}\n"
    "url_of() {\n"
    "    local list=$JOB/urls.$((($1 - 1) / batch)) waited=0\n"
    "    until [ -s \"$list\" ]; do\n"
    "        ((waited++ < 3600)) || fail \"the address for part $1 did not come within an hour\"\n"
    "        sleep 1\n"
    "    done\n"
    "    sed -n \"$((($1 - 1) % batch + 1))p\" \"$list\"\n"
    "}\n"
    "put() {\n"
    "    local url md5 etag\n"
    "    url=$(url_of \"$1\")\n"
    "    md5=$(openssl md5 -binary \"$2\" | base64)\n"
    "    transfer \"$url\" \"$2.answer\" -H \"Content-MD5: $md5\" -H 'Expect:' -D \"$2.head\" -T \"$2\" ||\n"
    "        fail \"part $1 could not be stored\"\n"
    "    etag=$(tr -d '\\r\"' <\"$2.head\" | awk 'tolower($1) == \"etag:\" { etag = $2 } END { print etag "
    "}')\n"
    "    [ -n \"$etag\" ] || fail \"the store did not acknowledge part $1\"\n"
    "    report \"part $1 $etag $(stat -c %s \"$2\")\"\n"
    "    rm -f \"$2\" \"$2.head\" \"$2.answer\"\n"
    "}\n"
    "send() {\n"
    "    local part=0 flying=0\n"
    "    while :; do\n"
    "        part=$((part + 1))\n"
    "        head -c \"$part_size\" >\"$spool/part.$part\"\n"
    "        [ -s \"$spool/part.$part\" ] || break\n"
    "        if ((flying == 3)); then\n"
    "            wait -n\n"
    "            flying=$((flying - 1))\n"
    "        fi\n"
    "        put \"$part\" \"$spool/part.$part\" &\n"
    "        flying=$((flying + 1))\n"
    "    done\n"
    "    while ((flying > 0)); do\n"
    "        wait -n\n"
    "        flying=$((flying - 1))\n"
    "    done\n"
    "}\n";

static const char backup_script[] =
    "prepare\n"
    "mkfifo \"$spool/plain\" \"$spool/cipher\"\n"
    "wc -c <\"$spool/plain\" >\"$spool/bytes\" & counter=$!\n"
    "sha256sum <\"$spool/cipher\" >\"$spool/sha256\" & hasher=$!\n"
    "set +e\n"
    "(set -e; produce) | tee \"$spool/plain\" | zstd -q -3 -T0 | age --encrypt \"${recipients[@]}\" |\n"
    "    tee \"$spool/cipher\" | (set -e; send)\n"
    "codes=(\"${PIPESTATUS[@]}\")\n"
    "set -e\n"
    "verdict || exit 1\n"
    "wait \"$counter\"\n"
    "wait \"$hasher\"\n"
    "finish\n"
    "report \"source_bytes $(<\"$spool/bytes\")\"\n"
    "report \"tool $(zstd --version | grep -o 'v[0-9.]*' | head -n 1 | sed 's/^/zstd /')\"\n"
    "report \"tool age $(age --version)\"\n"
    "report \"sha256 $(cut -c 1-64 \"$spool/sha256\")\"\n";

void host_script_backup(const struct dataset_ops *ops, const struct dataset *dataset,
                        const struct host_backup *backup, struct strbuf *script)
{
    add_prelude(ops, script);
    script_set(script, "job", backup->job);
    strbuf_addf(script, "part_size=%lld\nbatch=%d\nrecipients=(", (long long)backup->part_size,
                HOST_URL_BATCH);
    for (size_t i = 0; backup->recipients[i]; i++) {
        strbuf_adds(script, " -r ");
        strbuf_add_shell_quoted(script, backup->recipients[i]);
    }
    strbuf_addf(script, " )\nstages=(%s tee zstd age tee upload)\n", ops->producer);
    strbuf_adds(script, verdict_script);
    strbuf_adds(script, transfer_script);
    strbuf_adds(script, send_script);
    ops->add_produce(dataset, script);
    strbuf_adds(script, spool_script);
    strbuf_adds(script, backup_script);
}

/* ---- restore ---- */

/* The next piece is fetched while the one before is consumed; each can be asked for again, which a single
 * long answer cannot. */
static const char receive_script[] =
    "clean_up() {\n"
    "    rm -rf --one-file-system \"$spool\"\n"
    "    (($1 == 0)) || discard || :\n"
    "}\n"
    "fetch() {\n"
    "    local first=$((offset + $1 * piece)) last file=$spool/piece.$1\n"
    "    last=$((first + piece - 1 < size ? first + piece - 1 : size - 1))\n"
    "    transfer \"$(<\"$JOB/url\")\" \"$file\" -r \"$first-$last\" || fail 'the backup could not be "
    "fetched'\n"
    "    [ \"$(stat -c %s \"$file\")\" = $((last - first + 1)) ] || fail 'the store sent another range than "
    "the one asked for'\n"
    "}\n"
    "receive() {\n"
    "    local n=0 count=$(((size - offset + piece - 1) / piece)) pid done=$offset\n"
    "    fetch 0 & pid=$!\n"
    "    while ((n < count)); do\n"
    "        wait \"$pid\"\n"
    "        if ((n + 1 < count)); then\n"
    "            fetch $((n + 1)) & pid=$!\n"
    "        fi\n"
    "        cat \"$spool/piece.$n\"\n"
    "        done=$((done + $(stat -c %s \"$spool/piece.$n\")))\n"
    "        report \"bytes $done\"\n"
    "        rm -f \"$spool/piece.$n\"\n"
    "        n=$((n + 1))\n"
    "    done\n"
    "}\n";

/* The digest covers the object as it is stored, with its own header, and is compared before anything is
 * switched over. */
static const char restore_script[] =
    "prepare\n"
    "mkfifo \"$spool/body\"\n"
    "cat \"$JOB/stored-header\" \"$spool/body\" | sha256sum >\"$spool/sha256\" & hasher=$!\n"
    "set +e\n"
    "(set -e; receive) | tee \"$spool/body\" | cat \"$JOB/header\" - | age --decrypt -i \"$JOB/identity\" | "
    "zstd -q -d |\n"
    "    (set -e; consume)\n"
    "codes=(\"${PIPESTATUS[@]}\")\n"
    "set -e\n"
    "cause=\n"
    "if ! verdict; then\n"
    "    case $cause in\n"
    "    age | zstd) echo 'the stored backup does not decrypt: it is damaged, cut off or was changed' >&2; "
    "exit \"$refused\" ;;\n"
    "    *) exit 1 ;;\n"
    "    esac\n"
    "fi\n"
    "wait \"$hasher\"\n"
    "if [ \"$(cut -c 1-64 \"$spool/sha256\")\" != \"$sha256\" ]; then\n"
    "    echo 'the stored backup is not the one that the signed manifest describes (another SHA-256)' >&2\n"
    "    exit \"$refused\"\n"
    "fi\n"
    "finish\n"
    "report \"sha256 $sha256\"\n";

void host_script_restore(const struct dataset_ops *ops, const struct dataset *dataset,
                         const struct restore_target *target, const struct host_restore *restore,
                         struct strbuf *script)
{
    add_prelude(ops, script);
    script_set(script, "job", restore->job);
    script_set(script, "sha256", restore->sha256);
    strbuf_addf(script, "size=%lld\noffset=%lld\npiece=%d\nrefused=%d\n", (long long)restore->size_bytes,
                (long long)restore->header_bytes, 16 << 20, HOST_REFUSED_STATUS);
    strbuf_addf(script, "stages=(fetch tee cat age zstd %s)\n", ops->consumer);
    strbuf_adds(script, verdict_script);
    strbuf_adds(script, transfer_script);
    strbuf_adds(script, receive_script);
    ops->add_consume(dataset, target, script);
    strbuf_adds(script, spool_script);
    strbuf_adds(script, restore_script);
}

void host_script_action(const struct dataset_ops *ops, const struct dataset *dataset,
                        const struct restore_target *target, enum host_action action, struct strbuf *script)
{
    strbuf_adds(script, "set -euo pipefail\n");
    strbuf_adds(script, prelude);
    strbuf_adds(script, "bash:bash\n");
    switch (action) {
    case HOST_IS_SWITCHED:
        ops->add_switch(dataset, target, script);
        strbuf_adds(script, "if is_switched; then\n    echo yes\n    recount\nelse\n    echo no\nfi\n");
        break;
    case HOST_SWITCH:
        ops->add_switch(dataset, target, script);
        strbuf_adds(script, "is_switched || switch_over\n");
        break;
    case HOST_DISCARD:
        ops->add_consume(dataset, target, script);
        strbuf_adds(script, "discard\n");
        break;
    }
}

/* ---- reports ---- */

#define MAX_PARTS 10000
#define MAX_PART_BYTES (5LL << 30) /* S3 takes no larger one */

static void drop_json(void *json)
{
    json_decref(json);
}

static json_t *keep_json(struct arena *arena, json_t *json)
{
    arena_defer(arena, drop_json, json);
    return json;
}

static struct err *merge_json(json_t *into, const char *text)
{
    json_t *more = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    int failed = json_is_object(more) ? json_object_update_recursive(into, more) : -1;
    json_decref(more);
    return failed ? err_new(ERR_REJECTED, "a host reported '%.100s' where an object was due", text) : NULL;
}

/* NUMBER ETAG SIZE */
static bool parse_part(struct arena *arena, const char *text, struct s3_part *part)
{
    char *end;
    long long number = strtoll(text, &end, 10);
    if (number < 1 || number > MAX_PARTS || *end != ' ')
        return false;
    const char *etag = end + 1;
    size_t length = strcspn(etag, " ");
    if (length < 1 || length > 64 || etag[length] != ' ')
        return false;
    long long size = strtoll(etag + length + 1, &end, 10);
    if (size < 1 || size > MAX_PART_BYTES || *end)
        return false;
    *part = (struct s3_part){(int)number, arena_strndup(arena, etag, length), size};
    return true;
}

static struct err *add_part(struct arena *arena, const char *text, struct host_report *report)
{
    struct s3_part part;
    if (!parse_part(arena, text, &part))
        return err_new(ERR_REJECTED, "a host reported '%.100s' where a part was due", text);
    if (!report->parts)
        report->parts = arena_array(arena, MAX_PARTS, sizeof *report->parts);
    if (report->parts[part.number - 1].number)
        return err_new(ERR_REJECTED, "a host reported part %d twice", part.number);
    report->parts[part.number - 1] = part;
    report->part_count++;
    report->bytes_done += part.size_bytes;
    return NULL;
}

static struct err *parse_line(struct arena *arena, const char *line, struct host_report *report)
{
    const char *rest = strchr(line, ' ');
    size_t word = rest ? (size_t)(rest - line) : strlen(line);
    rest = rest ? rest + 1 : line + word;
#define IS(text) (word == strlen(text) && !memcmp(line, text, word))
    if (IS("part"))
        return add_part(arena, rest, report);
    if (IS("probe"))
        return merge_json(report->probes, rest);
    if (IS("info"))
        return merge_json(report->info, rest);
    if (IS("tool"))
        json_array_append_new(report->tools, json_string(rest));
    else if (IS("note"))
        report->note = rest;
    else if (IS("sha256"))
        report->sha256 = rest;
    else if (IS("bytes"))
        report->bytes_done = strtoll(rest, NULL, 10);
    else if (IS("source_bytes"))
        report->source_bytes = strtoll(rest, NULL, 10);
#undef IS
    return NULL; /* other lines come from tools that talk on stdout: of no interest */
}

/* Parts end in any order; gaps are closed here, and seen when the list is compared with the store's. */
static void close_gaps(struct host_report *report)
{
    size_t kept = 0;
    for (size_t i = 0; report->parts && kept < report->part_count; i++)
        if (report->parts[i].number)
            report->parts[kept++] = report->parts[i];
}

struct err *host_report_parse(struct arena *arena, const char *text, struct host_report *report)
{
    *report = (struct host_report){.sha256 = "", .note = ""};
    report->probes = keep_json(arena, json_object());
    report->info = keep_json(arena, json_object());
    report->tools = keep_json(arena, json_array());
    for (const char *line = text; line && *line;) {
        const char *newline = strchr(line, '\n');
        if (!newline)
            break; /* the rest of this line is still being written */
        TRY(parse_line(arena, arena_strndup(arena, line, (size_t)(newline - line)), report));
        line = newline + 1;
    }
    close_gaps(report);
    return NULL;
}
