_rehost() {
    local word=${COMP_WORDS[COMP_CWORD]} command=${COMP_WORDS[1]} words
    if [ "$COMP_CWORD" -eq 1 ]; then words="init check plan recover resume status report backup play rollback catalog destroy gc help"
    else case $command in
    init) words="--provider --inventory --json --help " ;;
    check) words="--inventory --json --help " ;;
    plan) words="--to --without --incident --before --timestamp --out --inventory --json --help " ;;
    recover) words="--to --without --incident --before --timestamp --yes --confirm --accept-unproven-fence --i-am-alone --inventory --json --help " ;;
    resume) words="--yes --confirm --accept-unproven-fence --i-am-alone --inventory --json --help " ;;
    status) words="--inventory --json --help " ;;
    report) words="--inventory --json --help " ;;
    backup) words="--dataset --i-am-alone --inventory --json --help " ;;
    play) words="--inventory --host --limit --forks --tags --skip-tags --start-at-task --list-hosts --list-tasks --list-tags --syntax-check --check --diff --extra-vars --user --key --private-key --host-key --trust-on-first-use --become --become-user --ask-become-pass --become-password-file --as --json --help " ;;
    rollback) words="--yes --i-am-alone --inventory --json --help " ;;
    catalog) words="--provider --region --fit --all --inventory --json --help " ;;
    destroy) words="--confirm --i-am-alone --inventory --json --help " ;;
    gc) words="--remove --yes --i-am-alone --inventory --json --help " ;;
    help) words="--man --reference --completion --inventory --json --help " ;;
    esac; fi
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o default -F _rehost rehost
