"""Evolution's own IMAP client, Camel's `imapx`, without its windows; run by the system's Python, which has its bindings.

Arguments: folder, port, user, password, word in the text. Prints what it saw as JSON.
"""

import json
import sys

import gi

gi.require_version("Camel", "1.2")
from gi.repository import Camel  # noqa: E402

FOLDER, PORT, USER, PASSWORD, WORD = sys.argv[1:]


class Session(Camel.Session):
    """A session that knows one password and trusts the test's server."""

    def do_authenticate_sync(self, service, mechanism, cancellable):
        """Log in."""
        service.set_password(PASSWORD)
        return service.authenticate_sync(mechanism, cancellable) == Camel.AuthenticationResult.ACCEPTED

    def do_trust_prompt(self, *_):
        """The certificate is the server's own."""
        return Camel.CertTrust.TEMPORARY


def main():
    """Do what a person does with Evolution."""
    Camel.init(FOLDER, False)
    Camel.Provider.init()
    session = Session(user_data_dir=f"{FOLDER}/data", user_cache_dir=f"{FOLDER}/cache")
    session.set_online(True)
    store = session.add_service("troika", "imapx", Camel.ProviderType.STORE)
    settings = store.ref_settings()
    settings.set_property("host", "localhost")
    settings.set_property("port", int(PORT))
    settings.set_property("user", USER)
    settings.set_property("security-method", Camel.NetworkSecurityMethod.SSL_ON_ALTERNATE_PORT)
    settings.set_property("auth-mechanism", "PLAIN")
    settings.set_property("use-qresync", True)
    seen = {"connected": store.set_online_sync(True, None) and store.connect_sync(None)}
    store.create_folder_sync(None, "Evolution", None)
    flags = Camel.StoreGetFolderInfoFlags.RECURSIVE | Camel.StoreGetFolderInfoFlags.REFRESH
    assert store.get_folder_info_sync(None, flags, None)
    # The bindings can't follow the tree of folders, and free lists of UIDs that are not theirs: so each folder is opened by
    # its name, and messages, which the test's server has numbered from 1, are asked for one by one.
    inbox, target, sent = (store.get_folder_sync(name, 0, None) for name in ("INBOX", "Evolution", "Sent"))
    seen["folders"] = [folder.get_full_name() for folder in (inbox, target, sent)]

    def subjects(folder, uids):
        folder.refresh_info_sync(None)
        infos = [folder.get_message_info(uid) for uid in uids]
        return [info.get_subject() for info in infos if info]

    seen["subjects"] = subjects(inbox, ("1", "2"))
    seen["read"] = inbox.get_message_sync("2", None).get_subject()
    wanted = Camel.MessageFlags.SEEN | Camel.MessageFlags.FLAGGED
    inbox.get_message_info("2").set_flags(wanted, wanted)
    inbox.synchronize_sync(False, None)
    seen["found"] = inbox.count_by_expression(f'(match-all (body-contains "{WORD}"))', None)
    inbox.transfer_messages_to_sync(["2"], target, True, None)
    inbox.synchronize_sync(True, None)
    seen["moved"] = subjects(target, ("1",))
    seen["left"] = subjects(inbox, ("1", "2"))
    store.disconnect_sync(True, None)
    print(json.dumps(seen))


main()
