"""Apache Libcloud's own Linode drivers (API v4), unmodified, against the local cloud: run by localcloud_libcloud_linode.

    localcloud_libcloud_linode.py HOST PORT TOKEN DNS_ADDRESS DNS_PORT
"""
import subprocess
import sys
import time

from libcloud.common.types import InvalidCredsError, LibcloudError
from libcloud.compute.providers import get_driver as compute_driver
from libcloud.compute.types import NodeState, Provider, StorageVolumeState
from libcloud.dns.providers import get_driver as dns_driver
from libcloud.dns.types import Provider as DNSProvider
from libcloud.dns.types import RecordType

host, port, token, dns_address, dns_port = sys.argv[1:6]
place = {"host": host, "port": int(port), "secure": False}
key_line = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK0wmN/Cr3JXqmLW7u+g9pTh+wyqDHpSQEIQczXkVx9r libcloud@test"
password = "correct-Horse-9"
counts = {True: 0, False: 0}


def check(sentence, holds, seen=None):
    counts[bool(holds)] += 1
    print("ok  " if holds else "FAIL", sentence)
    if not holds:
        print("     saw:", seen)


def is_(sentence, seen, wanted):
    check(sentence, seen == wanted, "%r, wanted %r" % (seen, wanted))


def refused(call, *words):
    """What the driver says when the API refuses; None if it does not, or not in these words."""
    try:
        call()
    except LibcloudError as error:
        return all(word in str(error) for word in words)
    return False


def wait(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.1)
    return condition()


def dig(name, kind):
    """What the authoritative server answers: (TTL, data)."""
    words = ["dig", "+noall", "+answer", "+time=1", "+tries=1", "@" + dns_address, "-p", dns_port, name, kind]
    answer = subprocess.run(words, capture_output=True, text=True, check=False).stdout
    lines = [line.split(None, 4) for line in answer.splitlines() if line and line[0] != ";"]
    return sorted((int(line[1]), line[4]) for line in lines)


def catalogue(cloud):
    sizes = {size.id: size for size in cloud.list_sizes()}
    nanode = sizes["g6-nanode-1"]
    is_("sizes have memory and disk in megabytes", (nanode.ram, nanode.disk), (1024, 25600))
    is_("sizes have a price an hour", nanode.price, 0.0075)
    is_("sizes have a price a month and their processors", (nanode.extra["monthly_price"], nanode.extra["vcpus"]), (5.0, 1))
    images = {image.id: image for image in cloud.list_images()}
    check("images have the names that one orders by", {"linode/debian12", "linode/ubuntu24.04", "linode/ubuntu22.04"} <= set(images),
          sorted(images))
    is_("images say whose they are", images["linode/debian12"].extra["vendor"], "Debian")
    places = {location.id: location for location in cloud.list_locations()}
    is_("locations have a country", places["eu-central"].country, "DE")
    is_("locations say that they are up", places["nl-ams"].extra["status"], "ok")
    check("locations say what they can do", "Metadata" in places["nl-ams"].extra["capabilities"], places["nl-ams"].extra)
    return places["nl-ams"], nanode, images["linode/debian12"]


def state(cloud, node):
    return cloud.ex_get_node(node.id).state


def life(cloud, location, size, image):
    node = cloud.create_node(location, size, image, name="web-1", root_pass=password, ex_authorized_keys=[key_line],
                             ex_tags=["rehost-run:r1"], ex_private_ip=True)
    is_("a new node has the name that was asked for", node.name, "web-1")
    check("a new node has its public address at once", len(node.public_ips) == 1 and node.public_ips[0].startswith("198.18."),
          node.public_ips)
    check("a new node has the private address that was asked for",
          len(node.private_ips) == 1 and node.private_ips[0].startswith("192.168."), node.private_ips)
    check("a new node has an IPv6 address", node.extra["ipv6"].startswith("2001:db8:") and node.extra["ipv6"].endswith("/128"),
          node.extra["ipv6"])
    is_("a new node is where it was ordered", (node.extra["location"], node.size, node.image),
        ("nl-ams", "g6-nanode-1", "linode/debian12"))
    is_("a new node wears its tags", node.extra["tags"], ["rehost-run:r1"])
    check("a new node comes to run", wait(lambda: state(cloud, node) == NodeState.RUNNING), state(cloud, node))
    check("the same name is refused, in the words that clients match",
          refused(lambda: cloud.create_node(location, size, image, name="web-1", root_pass=password),
                  "Label must be unique among your linodes", "label", "400"))
    check("a weak password is refused",
          refused(lambda: cloud.create_node(location, size, image, name="weak", root_pass="aaaaaaaa"),
                  "Password does not meet strength requirement"))
    disks = cloud.ex_list_disks(node)
    is_("a node has a system disk and swap", [disk.filesystem for disk in disks], ["ext4", "swap"])
    is_("they fill the plan's disk", sum(disk.size for disk in disks), size.disk)

    check("a node reboots", cloud.reboot_node(node))
    check("and runs again", wait(lambda: state(cloud, node) == NodeState.RUNNING), state(cloud, node))
    check("a node stops", cloud.stop_node(node))
    check("and is stopped then", wait(lambda: state(cloud, node) == NodeState.STOPPED), state(cloud, node))
    check("a node starts", cloud.start_node(node))
    check("and runs then", wait(lambda: state(cloud, node) == NodeState.RUNNING), state(cloud, node))
    is_("a node takes another name", cloud.ex_rename_node(node, "web-one").name, "web-one")
    is_("and keeps it", cloud.ex_get_node(node.id).name, "web-one")
    return cloud.ex_get_node(node.id), disks[0]


def addresses(cloud, node, location, size):
    other = cloud.create_node(location, size, name="empty")
    is_("a node without an image does not run", (wait(lambda: state(cloud, other) == NodeState.STOPPED), other.image), (True, None))
    is_("all public addresses are listed, and whose they are",
        sorted((address.inet, address.extra["node_id"]) for address in cloud.ex_list_addresses()),
        sorted([(node.public_ips[0], int(node.id)), (other.public_ips[0], int(other.id))]))
    is_("a node's addresses are listed, public and private",
        [(address.inet, address.public) for address in cloud.ex_list_node_addresses(node)],
        [(node.public_ips[0], True), (node.private_ips[0], False)])
    private = cloud.ex_allocate_private_address(other)
    check("a private address can be had later", private.inet.startswith("192.168.") and not private.public, private)
    check("an address can be shared", cloud.ex_share_address(other, [cloud.ex_list_addresses()[0]]))
    return other


def volumes(cloud, node, location):
    volume = cloud.create_volume("data", 10, location=location, tags=["rehost"])
    is_("a volume has name, size and path", (volume.name, volume.size, volume.extra["filesystem_path"]),
        ("data", 10, "/dev/disk/by-id/scsi-0Linode_Volume_data"))
    check("a volume becomes active", wait(lambda: cloud.ex_get_volume(volume.id).extra["state"] == StorageVolumeState.AVAILABLE))
    attached = cloud.attach_volume(node, volume)
    is_("an attached volume says to what", (attached.extra["linode_id"], attached.extra["linode_label"]), (int(node.id), node.name))
    check("a second volume of the same name is refused", refused(lambda: cloud.create_volume("data", 10, location=location), "label"))
    check("a volume grows", cloud.ex_resize_volume(attached, 20))
    check("a volume detaches", cloud.detach_volume(attached))
    volume = cloud.ex_get_volume(volume.id)
    is_("and is free then, as large as it grew", (volume.extra["linode_id"], volume.size), (None, 20))
    is_("volumes are listed", [v.name for v in cloud.list_volumes()], ["data"])
    check("a volume is destroyed", cloud.destroy_volume(volume))
    is_("and gone then", cloud.list_volumes(), [])


def images(cloud, disk):
    image = cloud.create_image(disk, name="before", description="by a test")
    is_("an image of a disk is the account's own", (image.name, image.id.split("/")[0], image.extra["is_public"]),
        ("before", "private", False))
    check("it is listed", image.id in [i.id for i in cloud.list_images()])
    check("it is deleted", cloud.delete_image(image))
    check("and gone then", image.id not in [i.id for i in cloud.list_images()])


def pages(cloud, location, size):
    nodes = [cloud.create_node(location, size, name="many-%d" % i) for i in range(28)]
    wanted = {node.name for node in nodes} | {"web-one", "empty"}
    is_("a list of more than one page is whole", {node.name for node in cloud.list_nodes()}, wanted)
    for node in nodes:
        wait(lambda: state(cloud, node) == NodeState.STOPPED)
        cloud.destroy_node(node)


def names(dns):
    zone = dns.create_zone("example.com", ttl=300, extra={"soa_email": "admin@example.com", "tags": ["rehost"]})
    is_("a zone has name, type and TTL", (zone.domain, zone.type, zone.ttl), ("example.com", "master", 300))
    is_("a zone knows its keeper", dns.get_zone(zone.id).extra["soa_email"], "admin@example.com")
    check("a zone that exists is refused",
          refused(lambda: dns.create_zone("example.com", extra={"soa_email": "a@example.com"}), "DNS zone already exists."))
    check("a zone without a keeper is refused", refused(lambda: dns.create_zone("example.org"), "soa_email"))
    is_("a new zone shows no records", dns.list_records(zone), [])
    www = dns.create_record("www", zone, RecordType.A, "198.18.10.1", extra={"ttl_sec": 500})
    is_("a record has name, data and a TTL that was rounded", (www.name, www.type, www.data, www.ttl),
        ("www", RecordType.A, "198.18.10.1", 300))
    apex = dns.create_record("", zone, RecordType.A, "198.18.10.1", extra={"ttl_sec": 7200})
    is_("the apex has an empty name", apex.name, "")
    dns.create_record("mail", zone, RecordType.CNAME, "www.example.com")
    dns.create_record("", zone, RecordType.MX, "mx.example.net", extra={"priority": 10})
    dns.create_record("", zone, RecordType.TXT, 'v=spf1 "all"')
    is_("all records are listed", sorted((r.name, r.type, r.data) for r in dns.list_records(zone)),
        [("", "A", "198.18.10.1"), ("", "MX", "mx.example.net"), ("", "TXT", 'v=spf1 "all"'), ("mail", "CNAME", "www.example.com"),
         ("www", "A", "198.18.10.1")])
    for name, kind, wanted in (("www.example.com", "A", [(300, "198.18.10.1")]), ("example.com", "A", [(7200, "198.18.10.1")]),
                               ("mail.example.com", "CNAME", [(300, "www.example.com.")]),
                               ("example.com", "MX", [(300, "10 mx.example.net.")]),
                               ("example.com", "TXT", [(300, '"v=spf1 \\"all\\""')])):
        wait(lambda: dig(name, kind) == wanted)
        is_("the name server answers %s %s" % (name, kind), dig(name, kind), wanted)
    changed = dns.update_record(www, data="198.18.10.2", extra={"ttl_sec": 3600})
    is_("a record is changed", (changed.id, changed.data, changed.ttl), (www.id, "198.18.10.2", 3600))
    wait(lambda: dig("www.example.com", "A") == [(3600, "198.18.10.2")])
    is_("the name server answers the change", dig("www.example.com", "A"), [(3600, "198.18.10.2")])
    moved = dns.update_record(changed, name="web")
    is_("a record takes another name", (moved.id, dns.get_record(zone.id, www.id).name), (www.id, "web"))
    check("and leaves the old one", wait(lambda: dig("web.example.com", "A") and not dig("www.example.com", "A")))
    check("a record is deleted", dns.delete_record(moved))
    check("and the name server forgets it", wait(lambda: dig("web.example.com", "A") == []))
    is_("a zone's TTL is changed", dns.update_zone(zone, "example.com", ttl=3600).ttl, 3600)
    wait(lambda: dig("mail.example.com", "CNAME") == [(3600, "www.example.com.")])
    is_("and what has no TTL of its own follows", dig("mail.example.com", "CNAME"), [(3600, "www.example.com.")])
    is_("zones are listed", [z.domain for z in dns.list_zones()], ["example.com"])
    check("a zone is deleted", dns.delete_zone(zone))
    is_("and gone then", dns.list_zones(), [])


def main():
    cloud = compute_driver(Provider.LINODE)(token, **place)
    location, size, image = catalogue(cloud)
    node, disk = life(cloud, location, size, image)
    other = addresses(cloud, node, location, size)
    volumes(cloud, node, location)
    images(cloud, disk)
    pages(cloud, location, size)
    check("a node is destroyed", cloud.destroy_node(node) and cloud.destroy_node(other))
    check("and gone then", wait(lambda: cloud.list_nodes() == []), cloud.list_nodes())
    names(dns_driver(DNSProvider.LINODE)(token, **place))
    try:
        compute_driver(Provider.LINODE)("wrong", **place).list_nodes()
        check("a wrong token is told as such", False)
    except InvalidCredsError as error:
        check("a wrong token is told as such", "Invalid Token" in str(error), error)
    print("%d passed, %d failed" % (counts[True], counts[False]))
    sys.exit(counts[False] != 0)


main()
