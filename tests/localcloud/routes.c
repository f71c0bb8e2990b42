// What every dialect needs of a request: its route, its token, whether a list shows a server.
#include <string.h>

#include "http.h"

static bool path_matches(const struct request *request, const char *pattern, const char *args[ROUTE_ARGS_MAX])
{
    size_t i = 0, arg = 0;

    for (const char *part = pattern; *part; i++) {
        size_t size = strcspn(part, "/");
        if (i >= request->segment_count)
            return false;
        const char *segment = request->segments[i];
        if (size == 1 && *part == '*') {
            if (arg < ROUTE_ARGS_MAX)
                args[arg++] = segment;
        } else if (strlen(segment) != size || strncmp(part, segment, size) != 0) {
            return false;
        }
        part += size + (part[size] == '/');
    }
    return i == request->segment_count;
}

enum routed route_request(const struct route *const tables[], const struct request *request,
                          struct response *response)
{
    enum routed routed = ROUTE_NO_PATH;

    for (size_t t = 0; tables[t]; t++) {
        for (const struct route *route = tables[t]; route->method; route++) {
            const char *args[ROUTE_ARGS_MAX] = {0};
            if (!path_matches(request, route->pattern, args))
                continue;
            routed = ROUTE_NO_METHOD;
            if (text_equal(route->method, request->method)) {
                route->handle(request, response, args);
                return ROUTED;
            }
        }
    }
    return routed;
}

enum token request_token(const struct request *request)
{
    const struct settings *settings = &request->cloud->ground->settings;
    const char *sent = request->authorization && strncasecmp(request->authorization, "Bearer ", 7) == 0
                           ? request->authorization + 7
                           : NULL;

    if (!sent)
        return TOKEN_WRONG;
    if (text_equal(sent, settings->token))
        return TOKEN_FULL;
    return text_equal(sent, settings->readonly_token) ? TOKEN_READONLY : TOKEN_WRONG;
}

bool server_listed(const struct request *request, const struct server *server)
{
    int lag_ms = request->effect.list_lag_ms;

    return lag_ms <= 0 || server->created_ms <= now_ms() - lag_ms;
}
