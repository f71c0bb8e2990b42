# template (ansible.builtin): a file made from a template.
# `src` is a Jinja template of the control side (in `templates/`).
#
# arg dest path, required
# arg src text, required
# arg mode mode
# arg owner text
# arg group text
# arg unsafe_writes bool
# arg validate validate
# arg backup bool
# arg force bool
# arg follow bool
# returns dest msg src
# runs copy
