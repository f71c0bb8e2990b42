# slurp (ansible.builtin): the content of a file, in base64.
# Up to 8 MiB; `content | b64decode` is the text.
#
# arg src path, required, or path
# returns content encoding source
module_slurp() {
    [ -e "$a_src" ] || fail "file not found: $a_src"
    [ ! -d "$a_src" ] || fail "source is a directory and must be a file: $a_src"
    [ "$(stat -L -c %s -- "$a_src")" -le 8388608 ] || fail "larger than 8 MiB: $a_src"
    put content "$(base64 -w 0 -- "$a_src")"
    put encoding base64
    put source "$a_src"
}
