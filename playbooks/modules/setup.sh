# setup (ansible.builtin): facts, as Ansible names them (without the prefix ansible_).
# All facts; the arguments have no effect. See Facts.
#
# arg gather_subset any
# arg filter any
# arg gather_timeout any

# One task, few processes.
module_setup() {
    . /etc/os-release
    case $ID in
    ubuntu) put distribution Ubuntu ;;
    debian) put distribution Debian ;;
    *) put distribution "${NAME%% *}" ;;
    esac
    put distribution_version "$VERSION_ID"
    if [ "$ID" = debian ] && read -r _exact </etc/debian_version; then
        case $_exact in [0-9]*.*) put distribution_minor_version "${_exact#*.}" ;; esac
    fi
    put distribution_major_version "${VERSION_ID%%.*}"
    put distribution_release "${VERSION_CODENAME:-${UBUNTU_CODENAME-}}"
    put os_family Debian
    put pkg_mgr apt
    if [ -d /run/systemd/system ]; then put service_mgr systemd; else put service_mgr service; fi
    rh_setup_kernel
    rh_setup_names
    rh_setup_memory
    rh_setup_network
    rh_setup_mounts
    rh_setup_user
    rh_setup_time
    rh_setup_virtual
    [ ! -r /etc/machine-id ] || { read -r _id </etc/machine-id && put machine_id "$_id"; }
}
rh_setup_kernel() {
    for _each in system:ostype nodename:hostname kernel:osrelease kernel_version:version; do
        read -r _value <"/proc/sys/kernel/${_each#*:}"
        put "${_each%:*}" "$_value"
        [ "${_each%:*}" != nodename ] || _node=$_value
    done
    _machine=$(uname -m)
    put machine "$_machine"
    put architecture "$_machine"
    case $_machine in *64*) put userspace_bits 64 ;; *) put userspace_bits 32 ;; esac
    _cpus=$(nproc)
    put_int processor_nproc "$_cpus"
    put_int processor_vcpus "$_cpus"
    rh_setup_processors
    read -r _up _ </proc/uptime
    put_int uptime_seconds "${_up%%.*}"
}
rh_setup_processors() {
    _sockets=' ' _count=0 _cores=1
    while IFS=':' read -r _key _value; do
        case $_key in
        physical\ id*)
            case $_sockets in *"$_value "*) ;; *) _sockets="$_sockets$_value " _count=$((_count + 1)) ;; esac
            ;;
        cpu\ cores*) _cores=${_value# } ;;
        esac
    done </proc/cpuinfo
    [ $_count -gt 0 ] || _count=$_cpus
    put_int processor_count $_count
    put_int processor_cores "$_cores"
}
rh_setup_names() {
    put hostname "${_node%%.*}"
    _fqdn=$(hostname -f 2>/dev/null) || _fqdn=$_node
    put fqdn "${_fqdn:=$_node}"
    case $_fqdn in *.*) put domain "${_fqdn#*.}" ;; *) put domain '' ;; esac
}
rh_setup_memory() {
    while read -r _key _value _; do
        case $_key in
        MemTotal:) put_int memtotal_mb $((_value / 1024)) ;;
        MemFree:) put_int memfree_mb $((_value / 1024)) ;;
        SwapTotal:) put_int swaptotal_mb $((_value / 1024)) ;;
        SwapFree:) put_int swapfree_mb $((_value / 1024)) ;;
        esac
    done </proc/meminfo
}
# Addresses of every interface, and which one leads outside.
rh_setup_network() {
    put_empty all_ipv4_addresses list
    put_empty all_ipv6_addresses list
    ip -o addr show 2>/dev/null >"$T/addr" || return 0
    _n4=0 _n6=0 _seen=' '
    while read -r _ _if _family _address _rest; do
        case $_seen in
        *" $_if "*) ;;
        *)
            _seen="$_seen$_if "
            read -r _mac <"/sys/class/net/$_if/address" 2>/dev/null || _mac=
            rh_setup_key "$_if"
            put "$_name.device" "$_if"
            put "$_name.macaddress" "$_mac"
            ;;
        esac
        case $_family in
        inet)
            rh_setup_key "$_if"
            put "$_name.ipv4.address" "${_address%/*}"
            put "$_name.ipv4.prefix" "${_address#*/}"
            [ "$_if" = lo ] || { put "all_ipv4_addresses.$_n4" "${_address%/*}"; _n4=$((_n4 + 1)); }
            ;;
        inet6) [ "$_if" = lo ] || { put "all_ipv6_addresses.$_n6" "${_address%/*}"; _n6=$((_n6 + 1)); } ;;
        esac
    done <"$T/addr"
    _n=0
    for _each in $_seen; do
        put "interfaces.$_n" "$_each"
        _n=$((_n + 1))
    done
    rh_setup_route 4 "$(ip -4 route get 8.8.8.8 2>/dev/null)"
    rh_setup_route 6 "$(ip -6 route get 2404:6800:400a:800::1012 2>/dev/null)"
}
rh_setup_key() { # interface; sets _name
    case $1 in *[.-]*) _name=$(echo "$1" | tr '.-' '__') ;; *) _name=$1 ;; esac
}
rh_setup_route() { # 4|6, the route
    put_empty "default_ipv$1" map
    [ -n "$2" ] || return 0
    _family=$1
    set -- $2
    while [ $# -gt 1 ]; do
        case $1 in
        via) put "default_ipv$_family.gateway" "$2" ;;
        dev)
            put "default_ipv$_family.interface" "$2"
            put "default_ipv$_family.alias" "$2"
            read -r _mac <"/sys/class/net/$2/address" 2>/dev/null && put "default_ipv$_family.macaddress" "$_mac"
            ;;
        src) put "default_ipv$_family.address" "$2" ;;
        esac
        shift
    done
}
rh_setup_mounts() {
    put_empty mounts list
    _n=0
    while read -r _device _mount _type _options _; do
        case $_device in /*) ;; *) continue ;; esac
        put "mounts.$_n.device" "$_device"
        put "mounts.$_n.mount" "$_mount"
        put "mounts.$_n.fstype" "$_type"
        put "mounts.$_n.options" "$_options"
        _n=$((_n + 1))
    done </proc/mounts
}
rh_setup_user() {
    _now=$(getent passwd "$RH_UID")
    put user_id "${_now%%:*}"
    IFS=: read -r _ _ _uid _gid _gecos _home _shell <<E
$_now
E
    put_int user_uid "$_uid"
    put_int user_gid "$_gid"
    put user_gecos "$_gecos"
    put user_dir "$_home"
    put user_shell "$_shell"
    export -p >"$T/env"
    while IFS= read -r _each; do
        _each=${_each#export }
        case ${_each%%=*} in LC_ALL | '' | *[!A-Za-z0-9_]*) continue ;; esac
        eval "put \"env.${_each%%=*}\" \"\$${_each%%=*}\""
    done <"$T/env"
}
rh_setup_time() {
    set -- $(date '+%Y-%m-%d %H:%M:%S %s %A %Z %z %Y %m %d %H %M %S %Y%m%dT%H%M%S')
    put date_time.date "$1"
    put date_time.time "$2"
    put date_time.epoch "$3"
    put date_time.weekday "$4"
    put date_time.tz "$5"
    put date_time.tz_offset "$6"
    put date_time.year "$7"
    put date_time.month "$8"
    put date_time.day "$9"
    put date_time.hour "${10}"
    put date_time.minute "${11}"
    put date_time.second "${12}"
    put date_time.iso8601_basic_short "${13}"
    put date_time.iso8601 "$(date -u +%Y-%m-%dT%H:%M:%SZ)"
}
rh_setup_virtual() {
    _type=$(systemd-detect-virt 2>/dev/null)
    case ${_type:-none} in
    none) put virtualization_type NA; put virtualization_role NA; return ;;
    systemd-nspawn) _type=container ;;
    amazon | microsoft | google) : ;;
    esac
    put virtualization_type "$_type"
    put virtualization_role guest
}
