#!/bin/bash
# host_playbooks.sh [FIRST [SECOND]] - the shipped playbooks that tests/e2e/playbooks.sh does not show: the way home from a lock-out,
# redis, docker, backup-timer and quiet-drill, on one machine. FIRST applies them, SECOND once more, which must change nothing: rehost
# (default) or ansible. Needs root, the network of package mirrors, and for ansible its command on this machine.
case ${1:-} in -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;; esac
FIRST=${1:-rehost} SECOND=${2:-${1:-rehost}}
. "$(dirname "$0")/../localcloud/testlib.sh"
[ "$(id -u)" -eq 0 ] || { echo "the machine needs root" >&2; exit 1; }

NET=198.19.241
IMAGE=$("$ROOT/tests/localcloud/image.sh") || exit 1
cloud_start --backend machines --image "$IMAGE" --bridge hptest0 --network $NET.0/24 --dns none

# ---- a machine, with a host key that is known before it boots
ssh-keygen -q -t ed25519 -N '' -f "$WORK/user"
ssh-keygen -q -t ed25519 -N '' -C host -f "$WORK/host"
printf '#cloud-config\nssh_keys:\n  ed25519_private: |\n%s\n  ed25519_public: %s\n' \
    "$(sed 's/^/    /' "$WORK/host")" "$(cat "$WORK/host.pub")" >"$WORK/user-data"
api POST ssh_keys "$(jq -nc --rawfile k "$WORK/user.pub" '{name: "user", public_key: $k}')" >/dev/null
api POST servers "$(jq -nc --rawfile u "$WORK/user-data" '{name: "host-1", server_type: "cx23", image: "debian-12",
    location: "nbg1", ssh_keys: ["user"], user_data: $u}')" >/dev/null
ID=$(jq .server.id "$WORK/body") IP=$(jq -r .server.public_net.ipv4.ip "$WORK/body")
echo "$IP $(cut -d' ' -f1,2 "$WORK/host.pub")" >"$WORK/known"
SSH=(ssh -i "$WORK/user" -o BatchMode=yes -o ConnectTimeout=2 -o "UserKnownHostsFile=$WORK/known" -o LogLevel=ERROR)
on() { "${SSH[@]}" "root@$IP" "$@"; }
check "the machine boots" within 60 on true
[ "$FAILED" = 0 ] || { tail -20 "$WORK/cloud.log"; finish; }
: >"$WORK/body"

play_rehost() {
    "${REHOST:-$BUILD/orchestrator/rehost}" play "$ROOT/playbooks/$1.yaml" --host "$IP" --key "$WORK/user" \
        --host-key "$(cut -d' ' -f1,2 "$WORK/host.pub")" -e "@$WORK/vars.json" "${@:2}" >"$WORK/played" 2>&1
}
play_ansible() {
    LC_ALL=C.UTF-8 ANSIBLE_PIPELINING=True ANSIBLE_SSH_ARGS="-o ControlMaster=auto -o ControlPersist=30s -o UserKnownHostsFile=$WORK/known" \
        ansible-playbook -i "$IP," -u root --private-key "$WORK/user" -e "@$WORK/vars.json" "${@:2}" \
        "$ROOT/playbooks/$1.yaml" >"$WORK/played" 2>&1
}
play() { # APPLIER PLAYBOOK [OPTIONS]
    "play_$1" "${@:2}" || { tail -n 40 "$WORK/played"; return 1; }
}
changed() { sed -nE 's/.*changed=([0-9]+).*/\1/p' "$WORK/played" | tail -n 1; }
changes_nothing() { play "$@" && is "$(changed)" 0 || { grep -B3 -E '^ *(changed|~)' "$WORK/played"; return 1; }; }
fails() { ! "$@"; }
applies() { # PLAYBOOK: three times
    check "$1 can be checked ($FIRST)" play "$FIRST" "$1" --check
    check "$1 applies ($FIRST)" play "$FIRST" "$1"
    check "$1 again changes nothing ($SECOND)" changes_nothing "$SECOND" "$1"
}

# ---- the way home. ConnectTimeout and Fail2Ban: few tries are made while the door is shut, and hardening's first part only.
PASSWORD="a b\"c\\d'e\$f%"
(cd "$WORK" && mkdir web && echo allowed >web/a && exec python3 -m http.server 9000 --bind $NET.1 --directory "$WORK/web" >/dev/null 2>&1) &
EXTRA_PIDS="$EXTRA_PIDS $!"
(cd "$WORK" && exec python3 -m http.server 9001 --bind $NET.1 >"$WORK/9001.log" 2>&1) &
EXTRA_PIDS="$EXTRA_PIDS $!"
jq -nc --arg p "$PASSWORD" --arg net $NET '{redis_password: $p, docker_start: false,
    docker_projects: [{name: "cache", environment: {TOKEN: "t-1"}, compose: {services: {app: {image: "tiny", command: ["sleep", "9"], ports: ["8080:80"]}}}}],
    backup_timer_command: "echo backing up >>/run/backed-up; test ! -e /run/broken; : ", backup_timer_arguments: ["web-1", "it'"'"'s"],
    backup_timer_directory: "/root", backup_timer_on_failure: "echo \"$MESSAGE\" >>/run/told",
    quiet_drill_allow: ["\($net).1:9000"], quiet_drill_webhooks: ["hooks.example.com"]}' >"$WORK/vars.json"
# Too long for a slow applier would only make the test slower, too short is covered: the host puts things back twice.
shut_out() { # EXTRA-VARIABLE: the play must end without success
    fails "play_$FIRST" hardening -e "{\"hardening_rollback_seconds\": 40, $1}"
}
check "a firewall that shuts the operator out ends the play" \
    shut_out '"hardening_ufw_rules": [{"port": "22", "proto": "tcp", "rule": "allow", "from_ip": "192.0.2.1"}]'
check "nobody can log in" fails on true
check "until the host takes its firewall back by itself" within 90 on true
check "as it was before" is "$(on 'ufw status | head -n 1')" "Status: inactive"
check "the timer that did it is gone after its second round" within 90 on '! [ -e /etc/systemd/system/rehost-rollback.timer ]'
check "rules without SSH are refused before anything is done" \
    shut_out '"hardening_ufw_rules": [{"port": "443", "proto": "tcp", "rule": "allow"}]'
check "and no timer was started" on '! [ -e /etc/systemd/system/rehost-rollback.timer ]'
check "sshd settings that shut the operator out end the play" shut_out '"hardening_ssh_root_login": "no"'
sleep 45 # without knocking: Fail2Ban and sshd count
check "until the host takes them back by itself" within 60 on true
check "sshd is as it was before" is "$(on 'sshd -T | grep permitrootlogin')" "permitrootlogin yes"
check "a person can keep things as they are" on /usr/local/lib/rehost/rollback forget
applies hardening
check "and leaves no timer behind" on '! [ -e /etc/systemd/system/rehost-rollback.timer ] && ! [ -e /var/lib/rehost-rollback ]'
check "the firewall is on" is "$(on 'ufw status | head -n 1')" "Status: active"

# ---- redis
applies redis
redis() { printf 'auth "%s"\n%s\n' "$(printf %s "$PASSWORD" | sed 's/[\\"]/\\&/g')" "$1" | on redis-cli | tail -n 1; }
check "Redis answers with the password" is "$(redis ping)" PONG
check "and not without" is "$(on redis-cli ping)" "NOAUTH Authentication required."
check "keeps an append-only file" is "$(redis 'config get appendonly')" yes
check "listens on this machine only" is "$(on "ss -Hltn 'sport = :6379'" | awk '{print $4}' | sort | xargs)" "127.0.0.1:6379 [::1]:6379"
check "its password is for Redis alone" is "$(on "stat -c '%a %U' /etc/redis/rehost.conf")" "640 redis"
redis 'set kept 1' >/dev/null
check "what it holds outlives a restart" on systemctl restart redis-server
check "and is there" is "$(redis 'get kept')" 1
check "no password was shown" fails grep -qF 'a b"c' "$WORK/played"

# ---- docker
applies docker
check "Docker runs with the settings" is "$(on "docker info --format '{{.LiveRestoreEnabled}} {{.LoggingDriver}}'")" "true json-file"
check "published ports stay on this machine" is "$(on 'jq -r .ip /etc/docker/daemon.json 2>/dev/null || sed -n "s/.*\"ip\": \"\(.*\)\".*/\1/p" /etc/docker/daemon.json')" 127.0.0.1
check "the project is valid" on 'cd /srv/cache && docker-compose config -q'
check "its environment is for root alone" is "$(on "stat -c '%a %U' /srv/cache/.env")" "600 root"

# ---- backup-timer
applies backup-timer
check "the timer waits" on systemctl is-active rehost-backup.timer
check "the command runs for every argument" on 'systemctl start rehost-backup && [ "$(wc -l </run/backed-up)" = 2 ]'
check "success is noted" on test -s /var/lib/rehost-backup/last-success
check "and recent" on systemctl start rehost-backup-age
on 'touch -d "3 days ago" /var/lib/rehost-backup/last-success; systemctl start rehost-backup-age' 2>/dev/null
check "old age is told" within 10 on grep -q 'no success for more than 26 hours' /run/told
jq -c '.backup_timer_command = "false"' "$WORK/vars.json" >"$WORK/vars.new" && mv "$WORK/vars.new" "$WORK/vars.json"
check "a broken command is put in place" play "$SECOND" backup-timer
on 'systemctl start rehost-backup' 2>/dev/null
check "its failure is told" within 10 on grep -q 'the run of rehost-backup.service failed' /run/told
on 'systemctl reset-failed'

# ---- quiet-drill
check "before, the host reaches anything" is "$(on curl -sS -m 5 -o /dev/null -w '%{http_code}' http://$NET.1:9001/)" 200
applies quiet-drill
: >"$WORK/9001.log"
check "what is on the list is reached" is "$(on curl -sS -m 5 http://$NET.1:9000/a)" allowed
check "nothing else is" fails on curl -sS -m 5 http://$NET.1:9001/
check "nor seen there" is "$(cat "$WORK/9001.log")" ""
check "what was refused is counted" is "$(on /usr/local/lib/rehost/quiet blocked)" "$NET.1 tcp 9001 1"
check "names are looked up and packages come" on 'apt-get update -qq && apt-get install -y -qq tree'
on 'printf "Subject: bill\n\nPay now\n" | curl -sS -m 5 --url smtp://203.0.113.9:587 --mail-from shop@example.com --mail-rcpt customer@example.com --user u:mail-password -T -'
check "mail to the world is kept here" within 5 on 'grep -qx "Pay now" /var/log/rehost-quiet/mail/* && grep -q customer@example.com /var/log/rehost-quiet/mail/*'
check "but no password" on '! grep -rq mail-password /var/log/rehost-quiet'
on 'printf "To: you@example.com\nSubject: s\n\nby sendmail\n" | /usr/sbin/sendmail -t'
check "so is what goes to sendmail" within 5 on 'grep -qx "by sendmail" /var/log/rehost-quiet/mail/*'
check "a webhook is answered over TLS" is "$(on "curl -sS -m 5 -d '{\"paid\": 7}' https://hooks.example.com/t/1")" '{"ok": true}'
check "and kept" within 5 on 'grep -q "^POST https://hooks.example.com/t/1" /var/log/rehost-quiet/webhooks/* && grep -q "\"paid\": 7" /var/log/rehost-quiet/webhooks/*'
check "no timer of the host runs" is "$(on 'systemctl list-timers --no-legend | grep -cE "rehost-backup|apt"')" 0
check "nor can one be started, nor cron" on 'systemctl start rehost-backup.timer cron; ! systemctl is-active rehost-backup.timer cron'
BOOT=$(on cat /proc/1/stat | cut -d' ' -f22)
api POST "servers/$ID/actions/reboot" >/dev/null
rebooted() { now=$(on cat /proc/1/stat | cut -d' ' -f22) && [ -n "$now" ] && [ "$now" != "$BOOT" ]; }
check "after a reboot" within 60 rebooted
check "it is quiet still" fails on curl -sS -m 5 http://$NET.1:9001/
check "and the webhooks lead here" within 20 on 'curl -sS -m 5 -d x https://hooks.example.com/ | grep -q ok'
check "the firewall is back too" is "$(on 'ufw status | head -n 1')" "Status: active"
check "it can be taken back ($SECOND)" play "$SECOND" quiet-drill -e quiet_drill_state=absent
check "which changes nothing the second time" changes_nothing "$SECOND" quiet-drill -e quiet_drill_state=absent
check "then the host reaches anything again" is "$(on curl -sS -m 5 -o /dev/null -w '%{http_code}' http://$NET.1:9001/)" 200
check "and its timers can run" on 'systemctl start cron rehost-backup.timer && systemctl is-active cron rehost-backup.timer'
check "no unit has failed" is "$(on 'systemctl --failed --no-legend; echo end')" end
finish
