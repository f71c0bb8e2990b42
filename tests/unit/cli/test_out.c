/* What is written for people. */
#include "cli/out.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_written(const char *text, const char *expected)
{
    char got[256] = "";
    FILE *file = tmpfile();
    int before = dup(STDERR_FILENO);
    assert_non_null(file);
    fflush(stderr);
    dup2(fileno(file), STDERR_FILENO);
    out_info("%s", text);
    dup2(before, STDERR_FILENO);
    close(before);
    rewind(file);
    got[fread(got, 1, sizeof(got) - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(got, expected);
}

static void a_host_cannot_command_the_terminal(void **state)
{
    (void)state;
    assert_written("failed\r\033[1A\033[Kok\n", "failed??[1A?[Kok\n");
    assert_written("\033]0;title\a\033c\x7f\b", "?]0;title??c??");
    assert_written("\xc2\x9b"
                   "2J",
                   "??2J");
    assert_written("\033[", "?[");
}

static void colours_lines_and_letters_stay(void **state)
{
    (void)state;
    assert_written("\033[1;31mXX\033[0m\ta\u00e4\u00a0\u20ac\n",
                   "\033[1;31mXX\033[0m\ta\u00e4\u00a0\u20ac\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_host_cannot_command_the_terminal),
        cmocka_unit_test(colours_lines_and_letters_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
