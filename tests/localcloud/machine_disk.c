#include "machine_disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/random.h>
#include <unistd.h>

#include "host_network.h"

static bool write_in(const char *dir, const char *path, unsigned mode, const char *text, struct why *why)
{
    char *full = text_format("%s/root%s", dir, path);

    unlink(full); // may be a link into the image
    bool ok = file_write(full, mode, text, why);
    free(full);
    return ok;
}

static bool unpack(const char *archive, const char *dir, struct why *why)
{
    const char *const argv[] = {"tar",
                                "--extract",
                                "--file",
                                archive,
                                "--directory",
                                dir,
                                "--preserve-permissions",
                                "--numeric-owner",
                                "--xattrs",
                                "--xattrs-include=*",
                                NULL};

    return run_command(argv, NULL, NULL, why);
}

bool machine_disk_save(const char *dir, const char *archive, struct why *why)
{
    // 1: something changed while it was read.
    static const char script[] = "tar --create --file \"$1\" --directory \"$2\" --numeric-owner --xattrs "
                                 "'--xattrs-include=*' . || [ $? -eq 1 ]";
    char *upper = text_format("%s/disk/upper", dir);
    const char *const argv[] = {"sh", "-c", script, "save", archive, upper, NULL};
    bool ok = run_command(argv, NULL, NULL, why);

    free(upper);
    return ok;
}

static bool mount_disk(const struct server *server, const char *dir, const char *archive, struct why *why)
{
    const struct settings *settings = &server->cloud->ground->settings;
    char *disk = text_format("%s/disk", dir), *root = text_format("%s/root", dir);
    char *upper = text_format("%s/upper", disk), *work = text_format("%s/work", disk);
    char *size = text_format("size=%dm,mode=755", settings->disk_mb);
    char *layers = text_format("lowerdir=%s,upperdir=%s,workdir=%s", settings->image_dir, upper, work);
    bool ok = dir_make(disk, why) && dir_make(root, why);

    if (ok && mount("tmpfs", disk, "tmpfs", 0, size) != 0)
        ok = fail(why, "cannot mount a tmpfs on '%s': %s", disk, strerror(errno));
    ok = ok && dir_make(upper, why) && dir_make(work, why);
    ok = ok && (!archive || unpack(archive, upper, why));
    if (ok && mount("overlay", root, "overlay", 0, layers) != 0)
        ok = fail(why, "cannot mount the disk over the image '%s': %s", settings->image_dir, strerror(errno));
    free(disk), free(root), free(upper), free(work), free(size), free(layers);
    return ok;
}

static bool write_identity(const struct server *server, const char *dir, struct why *why)
{
    unsigned char random[16];
    char id[34] = "";
    char *hostname = text_format("%s\n", server->name);

    if (getrandom(random, sizeof random, 0) != sizeof random)
        abort();
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(id + 2 * i, 3, "%02x", random[i]);
    id[32] = '\n';
    bool ok = write_in(dir, "/etc/machine-id", 0444, id, why) &&
              write_in(dir, "/etc/hostname", 0644, hostname, why);
    free(hostname);
    return ok;
}

static bool write_network(const struct server *server, const char *dir, struct why *why)
{
    const struct network *net = &server->cloud->ground->network;
    char *ipv4 = *server->ipv4 ? text_format("[Address]\nAddress=%s/%u\n[Route]\nGateway=%s\n", server->ipv4,
                                             net->prefix, net->gateway)
                               : text_copy("");
    char *ipv6 = *server->ipv6 ? text_format("[Address]\nAddress=%s/%u\nDuplicateAddressDetection=none\n",
                                             server->ipv6, net->prefix + 32)
                               : text_copy("");
    char card[18];
    host_network_card(server->address, card);
    char *text = text_format("[Match]\nName=host0\n[Link]\nMACAddress=%s\n"
                             "[Network]\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n%s%s",
                             card, ipv4, ipv6);
    bool ok = write_in(dir, "/etc/systemd/network/10-cloud.network", 0644, text, why);

    free(ipv4), free(ipv6), free(text);
    return ok;
}

// Names resolve inside as they do here. A resolver on this machine's loopback cannot be reached from inside:
// systemd-resolved keeps the real ones in a file of its own.
static bool write_resolver(const char *dir, struct why *why)
{
    char *text = file_read("/etc/resolv.conf", 4096);

    if (text && strstr(text, "nameserver 127.")) {
        free(text);
        text = file_read("/run/systemd/resolve/resolv.conf", 4096);
    }
    bool ok = write_in(dir, "/etc/resolv.conf", 0644, text ? text : "", why);
    free(text);
    return ok;
}

// The NoCloud data source of cloud-init. JSON is YAML, so nothing needs quoting by hand.
static bool write_seed(const struct server *server, const char *dir, struct why *why)
{
    static const char seed[] = "/var/lib/cloud/seed/nocloud";
    char *path = text_format("%s/root%s", dir, seed);
    char *instance = text_format("localcloud-%lld", (long long)server->id);
    json_t *meta = json_pack("{s:s, s:s, s:O}", "instance-id", instance, "local-hostname", server->name,
                             "public-keys", server->public_keys);
    char *meta_text = json_dumps(meta, 0), *vendor = text_copy("#cloud-config\n{}\n");
    bool ok = dir_make(path, why);

    if (*server->root_password) {
        free(vendor);
        vendor = text_format("#cloud-config\n{\"ssh_pwauth\": true, \"chpasswd\": {\"expire\": false, "
                             "\"list\": \"root:%s\\n\"}}\n",
                             server->root_password);
    }
    ok = ok && write_in(dir, "/var/lib/cloud/seed/nocloud/meta-data", 0644, meta_text, why) &&
         write_in(dir, "/var/lib/cloud/seed/nocloud/vendor-data", 0600, vendor, why) &&
         write_in(dir, "/var/lib/cloud/seed/nocloud/user-data", 0600,
                  server->user_data ? server->user_data : "#cloud-config\n{}\n", why);
    json_decref(meta);
    free(meta_text), free(vendor), free(instance), free(path);
    return ok;
}

bool machine_disk_make(const struct server *server, const char *dir, const char *archive, struct why *why)
{
    return mount_disk(server, dir, archive, why) && write_identity(server, dir, why) &&
           write_network(server, dir, why) && write_resolver(dir, why) && write_seed(server, dir, why);
}

bool machine_disk_readdress(const struct server *server, const char *dir, struct why *why)
{
    return write_network(server, dir, why);
}

void machine_disk_remove(const char *dir)
{
    char *root = text_format("%s/root", dir), *disk = text_format("%s/disk", dir);
    struct why why;

    umount2(root, MNT_DETACH);
    umount2(disk, MNT_DETACH);
    free(root), free(disk);
    if (!dir_remove(dir, &why))
        log_line("%s", why.text);
}
