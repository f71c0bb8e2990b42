# openssl_certificate (community.crypto): an older name of `x509_certificate`.
#
# arg path path, required
# arg provider text, one of ownca selfsigned
# arg csr_path path
# arg csr_content text
# arg privatekey_path path
# arg privatekey_content text
# arg privatekey_passphrase text
# arg ownca_path path
# arg ownca_content text
# arg ownca_privatekey_path path
# arg ownca_privatekey_content text
# arg ownca_privatekey_passphrase text
# arg ownca_digest text
# arg ownca_not_after text
# arg ownca_not_before text
# arg selfsigned_digest text
# arg selfsigned_not_after text, or selfsigned_notAfter
# arg selfsigned_not_before text, or selfsigned_notBefore
# arg ignore_timestamps bool
# arg force bool
# arg backup bool
# arg state text, one of absent present
# arg mode mode
# arg owner text
# arg group text
# arg return_content bool
# returns backup_file certificate csr filename notAfter notBefore privatekey
# runs x509_certificate
