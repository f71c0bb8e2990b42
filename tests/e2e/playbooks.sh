#!/bin/bash
# playbooks.sh [FIRST [SECOND]] - the shipped playbooks turn a bare machine into a working web host, and a second run changes
# nothing. FIRST and SECOND say what applies them: rehost (default) or ansible. With two different ones this also shows that both
# leave the same host behind. Needs root, the network of package mirrors, and for ansible its command on this machine.
case ${1:-} in -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;; esac
FIRST=${1:-rehost} SECOND=${2:-${1:-rehost}}
. "$(dirname "$0")/../localcloud/testlib.sh"
[ "$(id -u)" -eq 0 ] || { echo "the machine needs root" >&2; exit 1; }

NAME=shop.example.test NET=198.19.249
IMAGE=$("$ROOT/tests/localcloud/image.sh") || exit 1
cloud_start --backend machines --image "$IMAGE" --bridge pltest0 --network $NET.0/24 --dns none

# ---- a machine, with a host key that is known before it boots
ssh-keygen -q -t ed25519 -N '' -f "$WORK/user"
ssh-keygen -q -t ed25519 -N '' -C host -f "$WORK/host"
printf '#cloud-config\nssh_keys:\n  ed25519_private: |\n%s\n  ed25519_public: %s\n' \
    "$(sed 's/^/    /' "$WORK/host")" "$(cat "$WORK/host.pub")" >"$WORK/user-data"
api POST ssh_keys "$(jq -nc --rawfile k "$WORK/user.pub" '{name: "user", public_key: $k}')" >/dev/null
api POST servers "$(jq -nc --rawfile u "$WORK/user-data" '{name: "web-1", server_type: "cx23", image: "debian-12",
    location: "nbg1", ssh_keys: ["user"], user_data: $u}')" >/dev/null
ID=$(jq .server.id "$WORK/body") IP=$(jq -r .server.public_net.ipv4.ip "$WORK/body")
echo "$IP $(cut -d' ' -f1,2 "$WORK/host.pub")" >"$WORK/known"
SSH=(ssh -i "$WORK/user" -o BatchMode=yes -o ConnectTimeout=2 -o "UserKnownHostsFile=$WORK/known" -o LogLevel=ERROR)
on() { "${SSH[@]}" "root@$IP" "$@"; }
check "the machine boots" within 60 on true
[ "$FAILED" = 0 ] || { tail -20 "$WORK/cloud.log"; finish; }
: >"$WORK/body"

# ---- the application's repository, a certificate, the variables
git init -q --bare "$WORK/git/shop.git"
git init -q -b main "$WORK/checkout"
cp -r "$ROOT/tests/demo-app/." "$WORK/checkout/"
publish() {
    git -C "$WORK/checkout" add -A
    git -C "$WORK/checkout" -c user.name=demo -c user.email=demo@example.com commit -q -m "$1"
    git -C "$WORK/checkout" push -q "$WORK/git/shop.git" main
}
publish "A small shop"
git daemon --reuseaddr --export-all --base-path="$WORK/git" --listen=$NET.1 --port=9418 2>"$WORK/git.log" &
EXTRA_PIDS=$!
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=$NAME" \
    -addext "subjectAltName=DNS:$NAME" -keyout "$WORK/tls.key" -out "$WORK/tls.crt" 2>/dev/null
variables() { # password login-secret more; the password has every character that quoting could trip over
    jq -nc --arg name "$NAME" --arg password "$1" --arg login "$2" --argjson more "${3:-{\}}" --arg git "$NET.1" \
        --rawfile crt "$WORK/tls.crt" --rawfile key "$WORK/tls.key" '
        {app_name: "shop", app_repo: "git://\($git)/shop.git", app_version: "main", app_port: 3000,
         app_secrets: {DATABASE_URL: "postgresql://shop:\($password | @uri | gsub("\u0027"; "%27"))@127.0.0.1:5432/shop",
                       LOGIN_SECRET: $login, PORT: "3000", UPLOADS_DIR: "/srv/shop/shared/uploads"},
         postgresql_password: $password, nginx_site_server_name: $name, nginx_site_certificate: $crt,
         nginx_site_certificate_key: $key, nginx_site_hsts_max_age: 300} + $more' >"$WORK/vars.json"
}
PASSWORD="a:b'c\\d\"e \$f%" LOGIN=login-secret-1

# ---- both appliers: output in $WORK/played, exit code as the command's
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
changed() { sed -nE 's/.*changed=([0-9]+).*/\1/p' "$WORK/played" | tail -n 1; } # both end with a line that counts
changes_nothing() { play "$@" && is "$(changed)" 0 || { grep -B3 -E '^ *(changed|~)' "$WORK/played"; return 1; }; }
fails() { ! "$@"; }
timed() {
    local start
    start=$(date +%s%N)
    "$@" || return
    echo "     $((($(date +%s%N) - start) / 1000000)) ms" >&3
}
exec 3>&1

variables "$PASSWORD" "$LOGIN"
for playbook in hardening nodejs postgresql nginx-site secrets app-deploy; do
    check "$playbook can be checked on a bare machine ($FIRST)" play "$FIRST" $playbook --check
done
check "which changes nothing" on '! command -v ufw nginx psql node && [ ! -e /srv/shop ] && ! id shop'
for playbook in hardening backup-client nodejs postgresql nginx-site secrets; do
    check "$playbook applies to a bare machine ($FIRST)" timed play "$FIRST" $playbook
done
variables "$PASSWORD" "$LOGIN" '{"app_start": false}'
check "app-deploy puts the application in place without starting it ($FIRST)" play "$FIRST" app-deploy
check "so that it does not run" is "$(on 'pm2-shop pid shop; echo end' | xargs)" end
check "its data comes" on 'cd /srv/shop/current && echo demo-password | runuser -u shop -- node seed.js 120000 demo'
variables "$PASSWORD" "$LOGIN"
check "app-deploy starts it ($FIRST)" timed play "$FIRST" app-deploy
[ "$FAILED" = 0 ] || finish
for playbook in hardening backup-client nodejs postgresql nginx-site secrets app-deploy; do
    check "$playbook again changes nothing ($SECOND)" timed changes_nothing "$SECOND" $playbook
done

# ---- what users and operators see
web() { curl -sS --max-time 20 --cacert "$WORK/tls.crt" --resolve "$NAME:443:$IP" --resolve "$NAME:80:$IP" "$@"; }
token() { web -d "{\"user\": \"demo\", \"password\": \"$1\"}" "https://$NAME/api/login" | jq -r '.token // "refused"'; }
me() { web -H "Authorization: Bearer $1" -o /dev/null -w '%{http_code}' "https://$NAME/api/me"; }
check "the site answers under its name with its certificate" is "$(web https://$NAME/healthz)" '{"status":"ok","rows":120000}'
check "its page counts the orders" grep -q '120000 orders' <<<"$(web https://$NAME/)"
check "plain HTTP is sent to HTTPS" is "$(web -o /dev/null -w '%{http_code} %{redirect_url}' http://$NAME/a?b)" "301 https://$NAME/a?b"
check "browsers are told to stay with HTTPS" grep -qi 'strict-transport-security: max-age=300' <<<"$(web -D- -o /dev/null https://$NAME/)"
check "answers carry security headers" grep -qi 'x-content-type-options: nosniff' <<<"$(web -D- -o /dev/null https://$NAME/)"
check "Fail2Ban watches the site" on 'fail2ban-client status nginx-limit-req && fail2ban-client status nginx-botsearch'
check "PM2's logs are turned over" on 'logrotate -d /etc/logrotate.d/pm2-shop 2>&1 | grep -q "shop-out"'
TOKEN_A=$(token demo-password)
check "the user logs in and is known" is "$(me "$TOKEN_A")" 200
check "a wrong password is refused" is "$(token wrong)" refused
on 'echo a picture >/srv/shop/shared/uploads/a.png; chown shop: /srv/shop/shared/uploads/a.png'
check "an upload is served" is "$(web https://$NAME/uploads/a.png)" "a picture"
check "nothing else of the disk is" is "$(web -o /dev/null -w '%{http_code}' --path-as-is https://$NAME/uploads/../.env.production)" 404
check "the secrets belong to the application alone" is "$(on "stat -L -c '%a %U %G' /srv/shop/current/.env.production")" "600 shop shop"
check "the certificate's key belongs to root alone" is "$(on "stat -c '%a %U' /etc/nginx/tls/$NAME.key")" "600 root"
check "PM2 keeps no secret on disk" is "$(on "grep -l -e $LOGIN -r /var/lib/shop/.pm2; echo done")" "done"
check "UFW is on and closed by default" grep -q 'Default: deny (incoming)' <<<"$(on ufw status verbose)"
check "it lets SSH, HTTP and HTTPS in, and no more" is "$(on ufw status | awk '/ALLOW/ && !/v6/ {print $1}' | xargs)" "22/tcp 80/tcp 443/tcp"
check "Fail2Ban watches sshd" on fail2ban-client status sshd
check "sshd takes keys only" is "$(on sshd -T | grep -E '^(passwordauthentication|kbdinteractiveauthentication) ' | sort | xargs)" "kbdinteractiveauthentication no passwordauthentication no"
check "unattended upgrades are on" grep -q 'Unattended-Upgrade "1"' <<<"$(on apt-config dump)"
check "PostgreSQL listens on this machine only" is "$(on "ss -Hltn 'sport = :5432'" | awk '{print $4}' | sort | xargs)" "127.0.0.1:5432 [::1]:5432"
check "and keeps checksums" is "$(on 'cd / && runuser -u postgres -- psql -XAtc "show data_checksums"')" on
check "the application runs in PM2's unit" on 'systemctl status pm2-shop | grep -q /srv/shop/current/server.js'
check "no unit has failed" is "$(on 'systemctl --failed --no-legend; echo end')" end

# ---- Fail2Ban bans a guesser, and only that one
GUESSER=$NET.77
[ "$IP" != "$GUESSER" ] || GUESSER=$NET.78
ip address add $GUESSER/32 dev pltest0
# The ban may fall in the middle of a handshake, which then waits for ever: hence the time limit.
for _ in 1 2 3 4 5 6; do timeout 5 ssh -n -b $GUESSER -o BatchMode=yes -o ConnectTimeout=3 -o PubkeyAuthentication=no -o StrictHostKeyChecking=no \
    -o UserKnownHostsFile=/dev/null "guesser@$IP" true 2>/dev/null; done
check "who guesses is banned" within 15 sh -c "! timeout 1 curl -s --interface $GUESSER telnet://$IP:22 </dev/null | grep -q SSH"
check "who does not is not" on true
ip address del $GUESSER/32 dev pltest0

# ---- changes
variables "$PASSWORD" login-secret-2
check "a new secret is put in place ($SECOND)" play "$SECOND" secrets
check "and the application restarted with it: old logins end" within 15 sh -c "[ \"\$(curl -sS --cacert $WORK/tls.crt --resolve $NAME:443:$IP \
    -H 'Authorization: Bearer $TOKEN_A' -o /dev/null -w '%{http_code}' https://$NAME/api/me)\" = 401 ]"
variables another-password "$LOGIN"
check "a new database password is set ($SECOND)" play "$SECOND" postgresql
check "and given to the application ($SECOND)" play "$SECOND" secrets
answers_200() { is "$(web -o /dev/null -w '%{http_code}' "https://$NAME/healthz")" 200; }
check "which works with it" within 15 answers_200
login_works() { # PASSWORD
    printf '127.0.0.1:*:*:*:%s\n' "$(printf %s "$1" | sed 's/[:\\]/\\&/g')" | on 'umask 077; cat >/run/pgpass
        PGPASSFILE=/run/pgpass psql -wXqh 127.0.0.1 -U shop -c "" shop; status=$?; rm /run/pgpass; exit $status'
}
check "PostgreSQL takes the new one" login_works another-password
check "and refuses the old one" fails login_works "$PASSWORD"

sed -i 's/<h1>Tea shop/<h1>Better tea shop/' "$WORK/checkout/server.js"
publish "A better name"
check "a new version is deployed ($SECOND)" play "$SECOND" app-deploy
check "and served" grep -q 'Better tea shop' <<<"$(web https://$NAME/)"
sed -i '1i throw new Error("this version is broken");' "$WORK/checkout/server.js"
publish "A mistake"
variables another-password "$LOGIN" '{"app_health_timeout": 3}'
check "a broken version fails ($SECOND)" fails play "$SECOND" app-deploy
check "with what the application said" grep -q 'this version is broken' "$WORK/played"
variables another-password "$LOGIN" "{\"app_version\": \"$(git -C "$WORK/checkout" rev-parse HEAD~1)\"}"
check "and is rolled back by naming the one before ($SECOND)" play "$SECOND" app-deploy
check "which is served again" grep -q 'Better tea shop' <<<"$(web https://$NAME/)"

# ---- a reboot
BOOT=$(on cat /proc/1/stat | cut -d' ' -f22)
api POST "servers/$ID/actions/reboot" >/dev/null
rebooted() { now=$(on cat /proc/1/stat | cut -d' ' -f22) && [ -n "$now" ] && [ "$now" != "$BOOT" ]; }
check "the machine reboots" within 60 rebooted
check "the site comes back by itself" within 30 answers_200
check "so do firewall and Fail2Ban" on 'ufw status | grep -q "Status: active" && fail2ban-client status sshd'
finish
