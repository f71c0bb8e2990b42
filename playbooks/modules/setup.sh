# setup (ansible.builtin): facts, as Ansible names them (without the prefix ansible_).
# Always all of them; the arguments have no effect. See Facts.
#
# arg gather_subset any
# arg filter any
# arg gather_timeout any

# One task, few processes.
module_setup() {
    . /etc/os-release
    case $ID in
    ubuntu) _distribution=Ubuntu ;;
    debian) _distribution=Debian ;;
    *) _distribution=${NAME%% *} ;;
    esac
    put distribution "$_distribution"
    put distribution_version "$VERSION_ID"
    if [ "$ID" = debian ] && read -r _exact </etc/debian_version; then
        case $_exact in [0-9]*.*) put distribution_minor_version "${_exact#*.}" ;; esac
    fi
    put distribution_major_version "${VERSION_ID%%.*}"
    put distribution_release "${VERSION_CODENAME:-${UBUNTU_CODENAME-}}"
    put distribution_file_path /etc/os-release
    put distribution_file_variety Debian
    put_bool distribution_file_parsed 1
    put os_family Debian
    put pkg_mgr apt
    put_json gather_subset '["all"]'
    put_bool module_setup 1
    put_empty lsb map
    if [ -r /etc/lsb-release ] || command -v lsb_release >/dev/null; then
        put lsb.id "$_distribution"
        put lsb.description "$PRETTY_NAME"
        put lsb.release "$VERSION_ID"
        put lsb.major_release "${VERSION_ID%%.*}"
        put lsb.codename "${VERSION_CODENAME:-${UBUNTU_CODENAME-}}"
    fi
    if [ -d /run/systemd/system ]; then put service_mgr systemd; else put service_mgr service; fi
    rh_setup_kernel
    rh_setup_names
    rh_setup_memory
    rh_setup_network
    rh_setup_mounts
    rh_setup_user
    rh_setup_time
    rh_setup_virtual
    rh_setup_hardware
    rh_setup_security
    rh_setup_dns
    rh_setup_python
    rh_setup_local
    [ ! -r /etc/machine-id ] || { read -r _id </etc/machine-id && put machine_id "$_id"; }
}
# Text as a JSON string: sets _json. Control characters do not occur in what is asked for here.
rh_setup_json() {
    _json=$1
    case $1 in
    *[\\\"]*)
        _json='' _left=$1
        while [ -n "$_left" ]; do
            _tail=${_left#?} _char=${_left%"${_left#?}"}
            case $_char in \\ | '"') _char=\\$_char ;; esac
            _json=$_json$_char _left=$_tail
        done
        ;;
    esac
    _json="\"$_json\""
}
rh_setup_kernel() {
    for _each in system:ostype nodename:hostname kernel:osrelease kernel_version:version; do
        read -r _value <"/proc/sys/kernel/${_each#*:}"
        put "${_each%:*}" "$_value"
        [ "${_each%:*}" != nodename ] || _node=$_value
    done
    read -r _machine 2>/dev/null </proc/sys/kernel/arch || _machine=$(uname -m)
    put machine "$_machine"
    put architecture "$_machine"
    put userspace_architecture "$_machine"
    case $_machine in *64*) put userspace_bits 64 ;; *) put userspace_bits 32 ;; esac
    while read -r _key _value; do
        [ "$_key" != Cpus_allowed_list: ] || break
    done </proc/self/status
    _cpus=0
    IFS=,
    for _each in $_value; do _cpus=$((_cpus + ${_each#*-} - ${_each%-*} + 1)); done
    unset IFS
    put_int processor_nproc $_cpus
    rh_setup_processors
    read -r _up _ </proc/uptime
    put_int uptime_seconds "${_up%%.*}"
    read -r _one _five _fifteen _ </proc/loadavg
    put_json loadavg "{\"1m\": $_one, \"5m\": $_five, \"15m\": $_fifteen}"
    rh_setup_cmdline
}
# Words of the kernel's command line; keys may hold dots.
rh_setup_cmdline() {
    _map='' _seen=' '
    read -r _value </proc/cmdline
    set -f
    for _each in $_value; do
        _key=${_each%%=*}
        case $_each in
        *=*) rh_setup_json "${_each#*=}" ; _value=$_json ;;
        *) _value=true ;;
        esac
        rh_setup_json "$_key"
        _map="$_map${_map:+, }$_json: $_value"
    done
    set +f
    put_json cmdline "{$_map}"
    put_json proc_cmdline "{$_map}"
}
rh_setup_processors() {
    _sockets=' ' _count=0 _cores=1 _siblings=1 _threads=0 _list=''
    while IFS=':' read -r _key _value; do
        _value=${_value# }
        case $_key in
        physical\ id*)
            case $_sockets in *" $_value "*) ;; *) _sockets="$_sockets$_value " _count=$((_count + 1)) ;; esac
            ;;
        cpu\ cores*) _cores=$_value ;;
        siblings*) _siblings=$_value ;;
        processor* | model\ name* | vendor_id* | Processor*)
            rh_setup_json "$_value"
            _list="$_list${_list:+, }$_json"
            case $_key in processor*) _threads=$((_threads + 1)) ;; esac
            ;;
        esac
    done </proc/cpuinfo
    [ $_count -gt 0 ] || _count=$_threads
    _each=$((_siblings / _cores))
    put_json processor "[$_list]"
    put_int processor_count $_count
    put_int processor_cores "$_cores"
    put_int processor_threads_per_core $_each
    put_int processor_vcpus $((_each * _count * _cores))
}
rh_setup_names() {
    put hostname "${_node%%.*}"
    _fqdn=$(hostname -f 2>/dev/null) || _fqdn=$_node
    put fqdn "${_fqdn:=$_node}"
    case $_fqdn in *.*) put domain "${_fqdn#*.}" ;; *) put domain '' ;; esac
}
rh_setup_memory() {
    _total=0 _free=0 _cached=0 _buffers=0 _swap=0 _swapfree=0 _swapcached=0
    while read -r _key _value _; do
        case $_key in
        MemTotal:) _total=$((_value / 1024)) ;;
        MemFree:) _free=$((_value / 1024)) ;;
        Cached:) _cached=$((_value / 1024)) ;;
        Buffers:) _buffers=$((_value / 1024)) ;;
        SwapTotal:) _swap=$((_value / 1024)) ;;
        SwapFree:) _swapfree=$((_value / 1024)) ;;
        SwapCached:) _swapcached=$((_value / 1024)) ;;
        esac
    done </proc/meminfo
    put_int memtotal_mb $_total
    put_int memfree_mb $_free
    put_int swaptotal_mb $_swap
    put_int swapfree_mb $_swapfree
    _unused=$((_free + _cached + _buffers))
    put_json memory_mb "{\"real\": {\"total\": $_total, \"used\": $((_total - _free)), \"free\": $_free},
        \"nocache\": {\"free\": $_unused, \"used\": $((_total - _unused))},
        \"swap\": {\"total\": $_swap, \"free\": $_swapfree, \"used\": $((_swap - _swapfree)), \"cached\": $_swapcached}}"
}
# Addresses of every interface, and which one leads outside.
rh_setup_network() {
    put_empty all_ipv4_addresses list
    put_empty all_ipv6_addresses list
    _n=0 _n4=0 _n6=0 _primary=' ' _all4='' _all6=''
    for _path in /sys/class/net/*; do
        [ -d "$_path" ] || continue
        put "interfaces.$_n" "${_path##*/}"
        _n=$((_n + 1))
        rh_setup_interface "${_path##*/}"
    done
    ip -o addr show 2>/dev/null >"$T/addr" || return 0
    while read -r _ _if _family _address _rest; do
        rh_setup_key "$_if"
        _if=${_if%%@*}
        case $_family in
        inet) rh_setup_ipv4 ;;
        inet6) rh_setup_ipv6 ;;
        esac
    done <"$T/addr"
    rh_setup_route 4 "$(ip -4 route get 8.8.8.8 2>/dev/null)"
    rh_setup_route 6 "$(ip -6 route get 2404:6800:400a:800::1012 2>/dev/null)"
}
rh_setup_key() { # interface; sets _name
    _name=$1
    while :; do
        case $_name in *[.:-]*) _name=${_name%%[.:-]*}_${_name#*[.:-]} ;; *) return ;; esac
    done
}
rh_setup_interface() { # interface
    rh_setup_key "$1"
    _path=/sys/class/net/$1
    put "$_name.device" "$1"
    read -r _mac 2>/dev/null <"$_path/address" || _mac=
    case $_mac in '' | 00:00:00:00:00:00) ;; *) put "$_name.macaddress" "$_mac" ;; esac
    read -r _value <"$_path/mtu" && put_int "$_name.mtu" "$_value"
    read -r _value 2>/dev/null <"$_path/operstate" || _value=down
    [ "$_value" = down ] && _value=
    put_bool "$_name.active" "$_value"
    read -r _value <"$_path/type"
    case $_value in
    1) _value=ether ;;
    32) _value=infiniband ;;
    512) _value=ppp ;;
    772) _value=loopback ;;
    65534) _value=tunnel ;;
    *) _value=unknown ;;
    esac
    [ ! -d "$_path/bridge" ] || _value=bridge
    [ ! -d "$_path/bonding" ] || _value=bonding
    put "$_name.type" "$_value"
    eval "_type_$_name=\$_value" 2>/dev/null
    read -r _value <"$_path/flags" && put_bool "$_name.promisc" $((_value & 0x100))
    read -r _value 2>/dev/null <"$_path/speed" && put_int "$_name.speed" "$_value"
}
rh_setup_mask() { # prefix; sets _netmask, _m1 to _m4
    _netmask='' _bits=$1
    for _i in 1 2 3 4; do
        if [ "$_bits" -ge 8 ]; then _octet=255; elif [ "$_bits" -le 0 ]; then _octet=0; else _octet=$((256 - (1 << (8 - _bits)))); fi
        eval "_m$_i=$_octet"
        _netmask=$_netmask${_netmask:+.}$_octet _bits=$((_bits - 8))
    done
}
rh_setup_ipv4() { # _name _if _address _rest
    _prefix=${_address#*/} _address=${_address%/*} _broadcast=''
    [ "$_prefix" != "$_address" ] || _prefix=32
    case $_rest in brd\ *) _broadcast=${_rest#brd } _broadcast=${_broadcast%% *} ;; esac
    rh_setup_mask "$_prefix"
    _o=$_address
    _network=$((${_o%%.*} & _m1)) _o=${_o#*.}
    _network=$_network.$((${_o%%.*} & _m2)) _o=${_o#*.}
    _network=$_network.$((${_o%%.*} & _m3)).$((${_o#*.} & _m4))
    case $_primary in
    *" $_if "*)
        eval "_each=\${_more_$_name:-0}"
        eval "_more_$_name=$((_each + 1))"
        _key=$_name.ipv4_secondaries.$_each
        ;;
    *) _key=$_name.ipv4 _primary="$_primary$_if " ;;
    esac
    put "$_key.address" "$_address"
    put "$_key.broadcast" "$_broadcast"
    put "$_key.netmask" "$_netmask"
    put "$_key.network" "$_network"
    put "$_key.prefix" "$_prefix"
    case $_address in 127.*) ;; *)
        put "all_ipv4_addresses.$_n4" "$_address"
        _n4=$((_n4 + 1))
        _all4="$_all4 $_n4"
        eval "_of_$_n4='$_if $_address $_broadcast,$_netmask,$_network,$_prefix'"
        ;;
    esac
}
rh_setup_ipv6() {
    eval "_each=\${_six_$_name:-0}"
    eval "_six_$_name=$((_each + 1))"
    _scope=${_rest##*scope } _prefix=${_address#*/} _address=${_address%/*}
    put "$_name.ipv6.$_each.address" "$_address"
    put "$_name.ipv6.$_each.prefix" "$_prefix"
    put "$_name.ipv6.$_each.scope" "${_scope%% *}"
    [ "$_address" = ::1 ] && return
    put "all_ipv6_addresses.$_n6" "$_address"
    _n6=$((_n6 + 1))
    _all6="$_all6 $_n6"
    eval "_six_of_$_n6='$_address $_prefix ${_scope%% *}'"
}
rh_setup_route() { # 4|6, the route
    put_empty "default_ipv$1" map
    _family=$1 _via='' _dev='' _src=''
    set -- $2
    while [ $# -gt 1 ]; do
        case $1 in
        via) _via=$2 ;;
        dev) _dev=$2 ;;
        src) _src=$2 ;;
        esac
        shift
    done
    [ -n "$_src" ] && [ -n "$_dev" ] || return 0
    [ -z "$_via" ] || put "default_ipv$_family.gateway" "$_via"
    put "default_ipv$_family.address" "$_src"
    put "default_ipv$_family.interface" "$_dev"
    rh_setup_key "$_dev"
    read -r _mac 2>/dev/null <"/sys/class/net/$_dev/address" && put "default_ipv$_family.macaddress" "$_mac"
    read -r _value 2>/dev/null <"/sys/class/net/$_dev/mtu" && put_int "default_ipv$_family.mtu" "$_value"
    eval "put default_ipv$_family.type \"\${_type_$_name-}\""
    if [ "$_family" = 4 ]; then rh_setup_default4; else rh_setup_default6; fi
}
# What is known of the address that leads outside.
rh_setup_default4() {
    put default_ipv4.alias "$_dev"
    for _i in $_all4; do
        eval "_each=\$_of_$_i"
        case $_each in "$_dev $_src "*) ;; *) continue ;; esac
        _each=${_each#"$_dev $_src "}
        put default_ipv4.broadcast "${_each%%,*}"
        _each=${_each#*,}
        put default_ipv4.netmask "${_each%%,*}"
        _each=${_each#*,}
        put default_ipv4.network "${_each%%,*}"
        put default_ipv4.prefix "${_each#*,}"
    done
}
rh_setup_default6() {
    for _i in $_all6; do
        eval "_each=\$_six_of_$_i"
        case $_each in "$_src "*) ;; *) continue ;; esac
        _each=${_each#* }
        put default_ipv6.prefix "${_each%% *}"
        put default_ipv6.scope "${_each#* }"
    done
}
# Sizes of all mounts come from one process.
rh_setup_mounts() {
    put_empty mounts list
    _n=0 _binds=' '
    while read -r _ _ _ _root _mount _; do
        [ "$_root" = / ] || _binds="$_binds$_mount "
    done </proc/self/mountinfo
    _later=''
    while read -r _device _mount _; do
        case $_device in /* | *:/*) _later="$_later$_mount$RH_NL" ;; esac
    done </proc/mounts
    set --
    while read -r _device _mount _type _options _; do
        case $_device in /* | *:/*) ;; *) continue ;; esac
        _later=${_later#*"$RH_NL"}
        case $RH_NL$_later in *"$RH_NL$_mount$RH_NL"*) continue ;; esac # what is mounted over it counts
        case $_mount in *\\*) _mount=$(printf %b "$_mount") ;; esac
        case $_binds in *" $_mount "*) _options=$_options,bind ;; esac
        put "mounts.$_n.device" "$_device"
        put "mounts.$_n.mount" "$_mount"
        put "mounts.$_n.fstype" "$_type"
        put "mounts.$_n.options" "$_options"
        rh_setup_uuid "$_device"
        put "mounts.$_n.uuid" "$_uuid"
        set -- "$@" "$_mount"
        _n=$((_n + 1))
    done </proc/mounts
    [ $# -gt 0 ] || return 0
    _n=0
    stat -f -c '%a %S %s %b %c %d' -- "$@" >"$T/sizes" 2>/dev/null || # one is out of reach: ask for each
        for _each; do stat -f -c '%a %S %s %b %c %d' -- "$_each" 2>/dev/null || echo; done >"$T/sizes"
    while read -r _available _unit _block _blocks _inodes _free; do
        if [ -n "$_free" ]; then
            put_int "mounts.$_n.block_available" "$_available"
            put_int "mounts.$_n.block_size" "$_block"
            put_int "mounts.$_n.block_total" "$_blocks"
            put_int "mounts.$_n.block_used" $((_blocks - _available))
            put_int "mounts.$_n.inode_available" "$_free"
            put_int "mounts.$_n.inode_total" "$_inodes"
            put_int "mounts.$_n.inode_used" $((_inodes - _free))
            put_int "mounts.$_n.size_available" $((_available * _unit))
            put_int "mounts.$_n.size_total" $((_blocks * _unit))
        fi
        _n=$((_n + 1))
    done <"$T/sizes"
}
# As udev knows it; sets _uuid.
rh_setup_uuid() { # device
    _uuid=N/A
    read -r _id 2>/dev/null <"/sys/class/block/${1##*/}/dev" && [ -r "/run/udev/data/b$_id" ] || return 0
    while IFS='=' read -r _key _value; do
        [ "$_key" != E:ID_FS_UUID ] || _uuid=$_value
    done <"/run/udev/data/b$_id"
}
rh_setup_user() {
    while IFS=: read -r _user _ _uid _gid _gecos _home _shell; do
        [ "$_uid" != "$RH_UID" ] || break
    done </etc/passwd
    if [ "$_uid" != "$RH_UID" ]; then # a user of a directory service
        IFS=: read -r _user _ _uid _gid _gecos _home _shell <<E
$(getent passwd "$RH_UID")
E
    fi
    put user_id "$_user"
    put_int user_uid "$_uid"
    put_int user_gid "$_gid"
    put_int effective_user_id "$_uid"
    put_int real_user_id "$_uid"
    put_int effective_group_id "$_gid"
    put_int real_group_id "$_gid"
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
    set -- $(date '+%Y-%m-%d %H:%M:%S %s %A %Z %z %Y %m %d %H %M %S %N %w %W')
    _micro=${13%???}
    put date_time.date "$1"
    put date_time.time "$2"
    put date_time.epoch "$3"
    put date_time.epoch_int "$3"
    put date_time.weekday "$4"
    put date_time.weekday_number "${14}"
    put date_time.weeknumber "${15}"
    put date_time.tz "$5"
    put date_time.tz_dst "$5"
    put date_time.tz_offset "$6"
    put date_time.year "$7"
    put date_time.month "$8"
    put date_time.day "$9"
    put date_time.hour "${10}"
    put date_time.minute "${11}"
    put date_time.second "${12}"
    put date_time.iso8601_basic "$7$8$9T${10}${11}${12}$_micro"
    put date_time.iso8601_basic_short "$7$8$9T${10}${11}${12}"
    _utc=$1T$2
    [ "$6" = +0000 ] || _utc=$(date -u -d "@$3" +%Y-%m-%dT%H:%M:%S)
    put date_time.iso8601 "${_utc}Z"
    put date_time.iso8601_micro "$_utc.${_micro}Z"
}
rh_setup_virtual() {
    _type=$(systemd-detect-virt 2>/dev/null) _more=''
    put_empty virtualization_tech_host list
    put_empty virtualization_tech_guest list
    case ${_type:-none} in
    none) put virtualization_type NA; put virtualization_role NA; return ;;
    systemd-nspawn) _type=container _more=systemd-nspawn ;;
    esac
    put virtualization_tech_guest.0 "$_type"
    [ -z "$_more" ] || put virtualization_tech_guest.1 "$_more"
    put virtualization_type "$_type"
    put virtualization_role guest
}
# What the firmware says; NA as Ansible writes it where it says nothing.
rh_setup_hardware() {
    for _each in bios_date bios_vendor bios_version board_asset_tag board_name board_serial board_vendor board_version \
        chassis_asset_tag chassis_serial chassis_vendor chassis_version product_name product_serial product_uuid \
        product_version system_vendor:sys_vendor; do
        read -r _value 2>/dev/null <"/sys/devices/virtual/dmi/id/${_each#*:}" || _value=
        put "${_each%:*}" "${_value:-NA}"
    done
    read -r _value 2>/dev/null </sys/devices/virtual/dmi/id/chassis_type || _value=
    set -- NA NA Other Unknown Desktop 'Low Profile Desktop' 'Pizza Box' 'Mini Tower' Tower Portable Laptop Notebook \
        'Hand Held' 'Docking Station' 'All In One' 'Sub Notebook' 'Space-saving' 'Lunch Box' 'Main Server Chassis' \
        'Expansion Chassis' 'Sub Chassis' 'Bus Expansion Chassis' 'Peripheral Chassis' 'RAID Chassis' 'Rack Mount Chassis'
    case $_value in '' | *[!0-9]*) ;; *) [ "$_value" -ge $# ] || shift "$_value" ;; esac
    put form_factor "${2:-NA}"
    put_empty fibre_channel_wwn list
    put hostnqn ''
    put iscsi_iqn ''
    put lvm N/A
    rh_setup_devices
}
# Disks, and what is on them.
rh_setup_devices() {
    put_empty devices map
    for _path in /sys/block/*; do
        read -r _value 2>/dev/null <"$_path/size" && [ "$_value" != 0 ] || continue # loop devices that wait for a file
        _disk=${_path##*/}
        case $_disk in *[!A-Za-z0-9_-]*) continue ;; esac
        _name=devices.$_disk
        for _each in model:device/model vendor:device/vendor removable:removable rotational:queue/rotational \
            support_discard:queue/discard_granularity; do
            if read -r _value 2>/dev/null <"$_path/${_each#*:}"; then put "$_name.${_each%%:*}" "$_value"; else put_json "$_name.${_each%%:*}" null; fi
        done
        read -r _value 2>/dev/null <"$_path/queue/scheduler" || _value=
        case $_value in *\[*\]*) _value=${_value#*\[} _value=${_value%%\]*} ;; *) _value='' ;; esac
        put "$_name.scheduler_mode" "$_value"
        put_int "$_name.virtual" 1
        put_empty "$_name.holders" list
        put_empty "$_name.partitions" map
        rh_setup_size "$_name" "$_path"
        for _part in /sys/block/"$_disk"/"$_disk"*; do
            [ -r "$_part/start" ] || continue
            _name=devices.$_disk.partitions.${_part##*/}
            read -r _value <"$_part/start" && put "$_name.start" "$_value"
            rh_setup_uuid "$_part"
            if [ "$_uuid" = N/A ]; then put_json "$_name.uuid" null; else put "$_name.uuid" "$_uuid"; fi
            rh_setup_size "$_name" "$_part"
        done
    done
}
rh_setup_size() { # key, folder below /sys/block
    read -r _value <"$2/size"
    put "$1.sectors" "$_value"
    read -r _unit 2>/dev/null <"/sys/block/$_disk/queue/logical_block_size" || _unit=512
    case $1 in
    *.partitions.*) put_int "$1.sectorsize" "$_unit" ;;
    *) put "$1.sectorsize" "$_unit" ;;
    esac
    _value=$((_value * 512)) _unit=1
    for _each in Bytes KB MB GB TB PB; do
        [ $((_value / _unit)) -ge 1024 ] || break
        _unit=$((_unit * 1024))
    done
    _value=$(((_value * 100 + _unit / 2) / _unit))
    _unit=$((_value % 100))
    [ $_unit -ge 10 ] || _unit=0$_unit
    put "$1.size" "$((_value / 100)).$_unit $_each"
}
rh_setup_security() {
    if [ -d /sys/kernel/security/apparmor ]; then put apparmor.status enabled; else put apparmor.status disabled; fi
    if [ -r /sys/fs/selinux/enforce ] && read -r _value </sys/fs/selinux/enforce; then
        put selinux.status enabled
        if [ "$_value" = 1 ]; then put selinux.mode enforcing; else put selinux.mode permissive; fi
    else
        put selinux.status disabled
    fi
    read -r _value 2>/dev/null </proc/sys/crypto/fips_enabled || _value=0
    put_bool fips "$_value"
    if [ / -ef /proc/1/root/. ]; then put_bool is_chroot 0; else put_bool is_chroot 1; fi
    for _each in dsa rsa ecdsa ed25519; do
        _path=/etc/ssh/ssh_host_${_each}_key.pub
        [ -r "$_path" ] && { read -r _type _value _ <"$_path" || [ -n "$_value" ]; } || continue
        put "ssh_host_key_${_each}_public" "$_value"
        put "ssh_host_key_${_each}_public_keytype" "$_type"
    done
}
rh_setup_dns() {
    put_empty dns map
    [ -r /etc/resolv.conf ] || return 0
    _n=0
    while read -r _key _value; do
        case $_key in
        nameserver)
            put "dns.nameservers.$_n" "${_value%% *}"
            _n=$((_n + 1))
            ;;
        domain) put dns.domain "${_value%% *}" ;;
        search | sortlist)
            _i=0
            for _each in $_value; do
                put "dns.$_key.$_i" "$_each"
                _i=$((_i + 1))
            done
            ;;
        options)
            for _each in $_value; do
                case $_each in
                *:*) put "dns.options.${_each%%:*}" "${_each#*:}" ;;
                *) put_bool "dns.options.$_each" 1 ;;
                esac
            done
            ;;
        esac
    done </etc/resolv.conf
}
# Only where the host has it: nothing here needs it.
rh_setup_python() {
    command -v python3 >/dev/null || return 0
    _value=$(python3 -V 2>/dev/null) && _value=${_value#* } || return 0
    case $_value in [0-9]*.[0-9]*.[0-9]*) ;; *) return 0 ;; esac
    put python_version "$_value"
    put python.executable /usr/bin/python3
    put python.type cpython
    _each=${_value#*.}
    put_json python.version "{\"major\": ${_value%%.*}, \"minor\": ${_each%%.*}, \"micro\": ${_each#*.}, \"releaselevel\": \"final\", \"serial\": 0}"
    put_json python.version_info "[${_value%%.*}, ${_each%%.*}, ${_each#*.}, \"final\", 0]"
}
# Facts of the host's own: /etc/ansible/facts.d/NAME.fact, a program, JSON or INI.
rh_setup_local() {
    put_empty local map
    for _path in /etc/ansible/facts.d/*.fact; do
        [ -r "$_path" ] || continue
        _name=${_path##*/} _name=${_name%.fact}
        case $_name in *[!A-Za-z0-9_-]*) continue ;; esac
        if [ -x "$_path" ]; then
            if ! _value=$(run "$_path" 2>"$T/said"); then
                put "local.$_name" "Failure executing fact script ($_path): $(head -c 1000 "$T/said")"
                continue
            fi
        else
            _value=$(cat "$_path")
        fi
        case $_value in
        \{* | \[\"* | \[\{* | \[\] | \"* | [0-9-]* | true | false | null) put_json "local.$_name" "$_value" ;;
        *) rh_setup_ini "local.$_name" "$_value" ;;
        esac
    done
}
rh_setup_ini() { # key, text; sections become maps
    put_empty "$1" map
    printf '%s\n' "$2" >"$T/ini"
    _map='' _sections=''
    while read -r _line; do
        case $_line in
        '' | \#* | \;*) ;;
        \[*\])
            _line=${_line#\[}
            rh_setup_json "${_line%\]}"
            _sections="$_sections${_sections:+$_map\}, }$_json: {" _map=''
            ;;
        *[=:]*)
            _key=${_line%%[=:]*} _value=${_line#*[=:]}
            while case $_key in *[[:space:]]) ;; *) false ;; esac; do _key=${_key%?}; done
            while case $_value in [[:space:]]*) ;; *) false ;; esac; do _value=${_value#?}; done
            case $_key in *[A-Z]*) _key=$(printf %s "$_key" | tr A-Z a-z) ;; esac
            rh_setup_json "$_value"
            _value=$_json
            rh_setup_json "$_key"
            [ -z "$_sections" ] || _map="$_map${_map:+, }$_json: $_value"
            ;;
        esac
    done <"$T/ini"
    [ -z "$_sections" ] || put_json "$1" "{$_sections$_map}}"
}
