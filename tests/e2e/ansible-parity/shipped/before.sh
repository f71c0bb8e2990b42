# shellcheck shell=bash
# Sourced by ../run: the application's repository, served here, a certificate, and the variables of a whole web host, in $plays/site.json.
git init -q --bare "$WORK/git/shop.git"
git init -q -b main "$WORK/checkout"
cp -r "$ROOT/tests/demo-app/." "$WORK/checkout/"
git -C "$WORK/checkout" add -A
git -C "$WORK/checkout" -c user.name=demo -c user.email=demo@example.com commit -q -m "A small shop"
git -C "$WORK/checkout" push -q "$WORK/git/shop.git" main
git daemon --reuseaddr --export-all --base-path="$WORK/git" --listen="$NET.1" --port=9418 >"$WORK/git.log" 2>&1 &
EXTRA_PIDS=$!
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj /CN=shop.example.test \
    -addext subjectAltName=DNS:shop.example.test -keyout "$WORK/tls.key" -out "$WORK/tls.crt" 2>/dev/null
# The password has every character that quoting could trip over.
jq -nc --arg git "$NET.1" --rawfile crt "$WORK/tls.crt" --rawfile key "$WORK/tls.key" --arg password "a:b'c\\d\"e \$f%" '
    {app_name: "shop", app_repo: "git://\($git)/shop.git", app_version: "main", app_port: 3000, app_start: false,
     app_secrets: {DATABASE_URL: "postgresql://shop:\($password | @uri | gsub("\u0027"; "%27"))@127.0.0.1:5432/shop",
                   LOGIN_SECRET: "login", PORT: "3000", UPLOADS_DIR: "/srv/shop/shared/uploads"},
     postgresql_password: $password, nginx_site_server_name: "shop.example.test", nginx_site_certificate: $crt,
     nginx_site_certificate_key: $key, nginx_site_hsts_max_age: 300}' >"$plays/site.json"
