# template (ansible.builtin): a file made from a template.
# `src` is a Jinja template of the control side (in `templates/`), in UTF-8. It may use `template_path`, `template_host`,
# `template_uid`, `template_run_date`, `template_mtime` and `template_destpath`, as in Ansible.
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
# arg trim_blocks bool
# arg lstrip_blocks bool
# arg newline_sequence text
# arg variable_start_string text
# arg variable_end_string text
# arg block_start_string text
# arg block_end_string text
# arg comment_start_string text
# arg comment_end_string text
# arg output_encoding text, one of utf-8
# arg seuser text
# arg serole text
# arg setype text
# arg selevel text
# returns dest msg src
# runs copy
