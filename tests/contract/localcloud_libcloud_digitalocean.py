"""Apache Libcloud's own DigitalOcean drivers (API v2), unmodified, against the local cloud: run by localcloud_libcloud_digitalocean.

    localcloud_libcloud_digitalocean.py HOST PORT TOKEN DNS_ADDRESS DNS_PORT
"""
import subprocess
import sys
import time

from libcloud.common.exceptions import BaseHTTPError
from libcloud.common.types import InvalidCredsError
from libcloud.compute.providers import get_driver as compute_driver
from libcloud.compute.types import NodeState, Provider
from libcloud.dns.providers import get_driver as dns_driver
from libcloud.dns.types import Provider as DNSProvider
from libcloud.dns.types import RecordType

host, port, token, dns_address, dns_port = sys.argv[1:6]
key_line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9r libcloud@test"
counts = {True: 0, False: 0}


def check(sentence, holds, seen=None):
    counts[bool(holds)] += 1
    print("ok  " if holds else "FAIL", sentence)
    if not holds:
        print("     saw:", seen)


def is_(sentence, seen, wanted):
    check(sentence, seen == wanted, "%r, wanted %r" % (seen, wanted))


def refused(call, *words):
    """Whether the API refuses, in these words."""
    try:
        call()
    except (BaseHTTPError, InvalidCredsError) as error:
        return all(word in str(error) for word in words)
    return False


def wait(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    return condition()


def driver_at(make, key):
    """Its drivers take host=, port= and secure= and forget them (3.4.1), so the connection is told."""
    driver = make(key)
    driver.connection.host, driver.connection.port, driver.connection.secure = host, int(port), 0
    driver.connection.connect()
    return driver


def named(things, name):
    return [thing for thing in things if thing.name == name]


compute = driver_at(compute_driver(Provider.DIGITAL_OCEAN), token)


# --- the account and what it can order ---
is_("the account is active", compute.ex_account_info()["status"], "active")
wrong = driver_at(compute_driver(Provider.DIGITAL_OCEAN), "wrong")
check("a wrong token is an InvalidCredsError", refused(wrong.list_nodes, "Unable to authenticate you"))
locations = compute.list_locations()
frankfurt = [place for place in locations if place.id == "fra1"][0]
is_("a location has a name", frankfurt.name, "Frankfurt 1")
check("closed locations are left out", "sfo1" not in [place.id for place in locations], locations)
check("unless all are wanted", "sfo1" in [place.id for place in compute.list_locations(ex_available=False)])
size = named(compute.list_sizes(), "s-1vcpu-2gb")[0]
is_("a size has memory, disk and processors", (size.ram, size.disk, size.extra["vcpus"]), (2048, 50, 1))
check("and a price", 0 < size.price < 1 < size.extra["price_monthly"], size)
check("sizes can be had by location", size.name in [one.name for one in compute.list_sizes(frankfurt)])
images = compute.list_images()
slugs = {image.extra["slug"] for image in images}
check("the images that playbooks know are there", {"ubuntu-22-04-x64", "ubuntu-24-04-x64", "debian-12-x64"} <= slugs, slugs)
debian = [image for image in images if image.extra["slug"] == "debian-12-x64"][0]
is_("an image tells its distribution", (debian.extra["distribution"], debian.extra["public"]), ("Debian", True))
is_("and can be had by its number", compute.get_image(debian.id).name, debian.name)

# --- keys ---
key = compute.create_key_pair("libcloud", key_line)
is_("a key is kept as it was given", compute.get_key_pair("libcloud").public_key, key_line)
check("with a fingerprint", len(key.fingerprint) == 47 and key.fingerprint.count(":") == 15, key.fingerprint)
check("the same key is refused", refused(lambda: compute.create_key_pair("again", key_line), "already in use", "422"))

# --- a droplet's life ---
node = compute.create_node("web-1", size, debian, frankfurt, ex_user_data="#cloud-config\n{}",
                           ex_create_attr={"ssh_keys": [key.fingerprint], "ipv6": True, "tags": ["libcloud", "tier:web"]})
is_("a new node is pending", node.state, NodeState.PENDING)
is_("without an address", node.public_ips + node.private_ips, [])


def now(of=node):
    return compute.ex_get_node_details(of.id)


def no_longer(things, name):
    return not named(things(), name)


check("it runs", wait(lambda: now().state == NodeState.RUNNING), now())
check("and gets an address", wait(lambda: now().public_ips), now())
check("one of the machines' network", now().public_ips[0].startswith("198.18."), now().public_ips)
check("and a private one", now().private_ips[0].startswith("10."), now().private_ips)
check("an IPv6 address, too", now().extra["networks"]["v6"][0]["ip_address"].startswith("2001:db8:"), now().extra["networks"])
is_("it is what was ordered", (now().extra["size_slug"], now().image.id, now().extra["region"]), (size.name, debian.id, "Frankfurt 1"))
is_("with the tags", sorted(now().extra["tags"]), ["libcloud", "tier:web"])
is_("it stands in the list", [one.id for one in named(compute.list_nodes(), "web-1")], [node.id])
event = compute.ex_list_events()[0]
is_("its making is an event", (event["type"], event["resource_type"], str(event["resource_id"])), ("create", "droplet", node.id))
is_("which is completed", compute.ex_get_event(event["id"])["status"], "completed")


def unlocked(of=node):
    return wait(lambda: not now(of).extra["locked"])


def in_state(state, of=node):
    return wait(lambda: now(of).state == state and not now(of).extra["locked"])


check("it reboots", compute.reboot_node(node) and unlocked())
check("it is still running", in_state(NodeState.RUNNING), now())
check("it shuts down", compute.ex_shutdown_node(node) and in_state(NodeState.STOPPED), now())
check("it powers on", compute.ex_power_on_node(node) and in_state(NodeState.RUNNING), now())
check("it power-cycles", compute.ex_hard_reboot(node) and in_state(NodeState.RUNNING), now())
check("it can be renamed", compute.ex_rename_node(node, "web-2") and now().name == "web-2", now())

# --- snapshots ---
check("a snapshot is taken", compute.create_image(node, "before"))
check("and becomes an image", wait(lambda: named(compute.list_images(), "before")), compute.list_images())
snapshot = named(compute.list_images(), "before")[0]
is_("a private one of that region", (snapshot.extra["public"], snapshot.extra["slug"], snapshot.extra["regions"]), (False, None, ["fra1"]))
copy = compute.create_node("copy", size, snapshot, frankfurt)
check("from which a node can be made", in_state(NodeState.RUNNING, copy), now(copy))
is_("that says so", now(copy).image.id, snapshot.id)
check("the image is deleted", compute.delete_image(snapshot) and no_longer(compute.list_images, "before"))
check("there is no second page without nodes for it", len(compute.list_nodes()) == 2, compute.list_nodes())
small = driver_at(compute_driver(Provider.DIGITAL_OCEAN), token)
small.ex_per_page = 1
is_("pages of one hold all nodes, too", sorted(one.name for one in small.list_nodes()), ["copy", "web-2"])

# --- addresses and volumes ---
ip = compute.ex_create_floating_ip(frankfurt)
is_("a floating IP belongs to nobody at first", (ip.node_id, ip.extra["region"]["slug"]), (None, "fra1"))
check("it is given to a node", compute.ex_attach_floating_ip_to_node(node, ip))
check("which takes a moment", wait(lambda: all(event["status"] == "completed" for event in compute.ex_list_events())), compute.ex_list_events())
is_("which has it then", str(compute.ex_get_floating_ip(ip.ip_address).node_id), node.id)
check("it moves to another", compute.ex_attach_floating_ip_to_node(copy, ip))
check("in a moment", wait(lambda: all(event["status"] == "completed" for event in compute.ex_list_events())), compute.ex_list_events())
is_("which has it instead", str(compute.ex_get_floating_ip(ip.ip_address).node_id), copy.id)
volume = compute.create_volume(10, "data", frankfurt)
is_("a volume has the size that was ordered", (volume.size, volume.extra["region_slug"], volume.extra["droplet_ids"]), (10, "fra1", []))
check("it is attached", compute.attach_volume(copy, volume))
volume = named(compute.list_volumes(), "data")[0]
is_("to that node", [str(one) for one in volume.extra["droplet_ids"]], [copy.id])
check("and not deleted while it is", refused(lambda: compute.destroy_volume(volume), "409", "cannot be deleted"))

# --- the end of nodes ---
check("a node is destroyed", compute.destroy_node(copy))
check("and leaves the list", wait(lambda: no_longer(compute.list_nodes, "copy")), compute.list_nodes())
check("it is not found any more", refused(lambda: now(copy), "404", "could not be found"))
is_("its floating IP stays, for nobody", compute.ex_get_floating_ip(ip.ip_address).node_id, None)
check("and can be given back", ip.delete() and not compute.ex_list_floating_ips())
volume = named(compute.list_volumes(), "data")[0]
is_("its volume stays, too", volume.extra["droplet_ids"], [])
check("and can be attached elsewhere", compute.attach_volume(node, volume))
check("and detached", compute.detach_volume(named(compute.list_volumes(), "data")[0]))
check("and deleted", compute.destroy_volume(volume) and not compute.list_volumes())
check("the other node is destroyed", compute.destroy_node(node))
check("so that none is left", wait(lambda: not compute.list_nodes()), compute.list_nodes())
check("the key is deleted", compute.delete_key_pair(key) and not compute.list_key_pairs())

# --- zones and records ---
dns = driver_at(dns_driver(DNSProvider.DIGITAL_OCEAN), token)


def ask(name, kind):
    command = ["dig", "+short", "+norecurse", "+time=2", "+tries=1", "@" + dns_address, "-p", dns_port, name, kind]
    return sorted(subprocess.run(command, capture_output=True, text=True, check=False).stdout.split("\n")[:-1])


def served(name, kind, *wanted):
    return wait(lambda: ask(name, kind) == sorted(wanted))


def record_of(name, kind):
    return [one for one in dns.list_records(zone) if one.name == name and one.type == kind]


zone = dns.create_zone("example.com", extra={"ip": "198.18.10.1"})
is_("a zone is found by its name", dns.get_zone("example.com").domain, "example.com")
is_("with half an hour as its TTL", dns.get_zone("example.com").ttl, 1800)
check("and a zone file", "example.com. 1800 IN A 198.18.10.1" in dns.get_zone("example.com").extra["zone_file"], zone)
is_("it stands in the list", [one.domain for one in dns.list_zones()], ["example.com"])
check("its apex is served", served("example.com", "A", "198.18.10.1"), ask("example.com", "A"))
is_("its name servers are records", sorted(one.data for one in record_of("@", RecordType.NS)), ["ns1.localcloud.test", "ns2.localcloud.test"])
record = dns.create_record("www", zone, RecordType.A, "198.18.10.2", {"ttl": 60})
is_("a record has the TTL that was asked for", record.ttl, 60)
check("and is served", served("www.example.com", "A", "198.18.10.2"), ask("www.example.com", "A"))
record = dns.get_record("example.com", record.id)
is_("it can be read by its id", (record.name, record.type, record.data, record.ttl), ("www", RecordType.A, "198.18.10.2", 60))
dns.update_record(record, data="198.18.10.3", extra={"ttl": 120})
is_("a change is kept", [(one.data, one.ttl) for one in record_of("www", RecordType.A)], [("198.18.10.3", 120)])
check("and served", served("www.example.com", "A", "198.18.10.3"), ask("www.example.com", "A"))
apex = dns.create_record("", zone, RecordType.TXT, "no quotes here")
is_("a record without a name is the zone's own", apex.name, "@")
check("and its text is served", served("example.com", "TXT", '"no quotes here"'), ask("example.com", "TXT"))
mail = dns.create_record("", zone, RecordType.MX, "www.example.com.", {"priority": 10})
is_("a mail record keeps its priority", dns.get_record("example.com", mail.id).extra["priority"], 10)
check("an alias without a dot is refused",
      refused(lambda: dns.create_record("shop", zone, RecordType.CNAME, "www.example.com"), "422", "Data needs to end with a dot (.)"))
check("a TTL of 29 seconds is refused", refused(lambda: dns.create_record("x", zone, RecordType.A, "198.18.10.2", {"ttl": 29}), "422", "ttl"))
check("a record is deleted", dns.delete_record(record) and not record_of("www", RecordType.A))
check("and served no more", served("www.example.com", "A"), ask("www.example.com", "A"))
check("the zone is deleted", dns.delete_zone(zone) and not dns.list_zones())

print("%d passed, %d failed" % (counts[True], counts[False]))
sys.exit(counts[False] > 0)
