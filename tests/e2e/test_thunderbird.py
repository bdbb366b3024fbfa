"""Thunderbird itself, on a screen in memory: the account set up, folders seen, a message read, flagged, searched, moved; then
news while it idles. What it did is looked at on the server's side; pictures are kept in target/e2e/."""

import json
import os
import shutil
import signal
import subprocess

import pytest
from harness.mail import message, unique
from harness.marionette import Marionette
from harness.ports import free_ports
from harness.programs import run
from harness.server import ROOT
from harness.waiting import until

PICTURES = ROOT / "target/e2e"

# What every script begins with.
HEAD = """
const {MailServices} = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const server = MailServices.accounts.allServers.find(one => one.type == "imap");
const root = server.rootFolder;
const inbox = root.getFolderWithFlags(Ci.nsMsgFolderFlags.Inbox);
const window = Services.wm.getMostRecentWindow("mail:3pane");
const tabmail = window.document.getElementById("tabmail");
const message = subject => [...inbox.messages].find(one => one.mime2DecodedSubject == subject);
"""


def write_profile(folder, server, account, marionette_port):
    """A profile with the account, that trusts the server's own authority and asks nothing."""
    folder.mkdir()
    run(["certutil", "-N", "-d", f"sql:{folder}", "--empty-password"])
    run(["certutil", "-A", "-d", f"sql:{folder}", "-n", "troika", "-t", "C,,", "-i", server.ca])
    settings = {
        "marionette.port": marionette_port,
        "mail.accountmanager.accounts": "account1",
        "mail.accountmanager.defaultaccount": "account1",
        "mail.account.account1.server": "server1",
        "mail.account.account1.identities": "id1",
        "mail.account.lastKey": 1,
        "mail.identity.id1.useremail": account.address,
        "mail.identity.id1.fullName": "Alice",
        "mail.identity.id1.valid": True,
        "mail.server.server1.type": "imap",
        "mail.server.server1.hostname": "localhost",
        "mail.server.server1.port": server.imaps,
        "mail.server.server1.socketType": 3,
        "mail.server.server1.authMethod": 3,
        "mail.server.server1.userName": account.address,
        "mail.server.server1.name": "Troika",
        "mail.server.server1.login_at_startup": False,
        "mail.server.server1.check_new_mail": True,
        "mail.server.server1.directory": str(folder / "imap"),
        # A message that is shown is read at once.
        "mailnews.mark_message_read.auto": True,
        "mailnews.mark_message_read.delay": False,
        "mail.provider.suppress_dialog_on_startup": True,
        "mail.spotlight.firstRunDone": True,
        "mail.rights.version": 1,
        "mail.shell.checkDefaultClient": False,
        "mailnews.start_page.enabled": False,
        "mail.chat.enabled": False,
        "app.donation.eoy.version.viewed": 999,
        "app.update.enabled": False,
        "datareporting.policy.dataSubmissionEnabled": False,
        "datareporting.policy.dataSubmissionPolicyBypassNotification": True,
        "toolkit.telemetry.enabled": False,
        "extensions.update.enabled": False,
        "network.captive-portal-service.enabled": False,
        "network.connectivity-service.enabled": False,
        "services.settings.server": "data:,",
    }
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in settings.items()]
    (folder / "user.js").write_text("".join(lines))


@pytest.fixture
def thunderbird(server, alice, tmp_path):
    """A running Thunderbird with Alice's account; None in `script` of what is not there yet."""
    for program in ("thunderbird", "xvfb-run", "certutil"):
        assert shutil.which(program), f"{program} is not installed; ./test installs it"
    [port] = free_ports(1)
    write_profile(tmp_path / "profile", server, alice, port)
    environment = os.environ | {
        "HOME": str(tmp_path), "MOZ_CRASHREPORTER_DISABLE": "1", "LANG": "C.UTF-8",
        "MOZ_LOG": "IMAP:4,sync", "MOZ_LOG_FILE": str(tmp_path / "imap"),
    }
    words = ["xvfb-run", "--auto-servernum", "--server-args=-screen 0 1280x900x24", "thunderbird", "--marionette"]
    words += ["--remote-allow-system-access", "--no-remote", "--profile", str(tmp_path / "profile")]
    log = tmp_path / "thunderbird.log"
    with open(log, "wb") as output:
        process = subprocess.Popen(words, env=environment, stdout=output, stderr=output, start_new_session=True)

    def connected():
        assert process.poll() is None, f"it ended: {log.read_text(errors='replace')[-3000:]}"
        try:
            return Marionette(port)
        except OSError:
            return None

    try:
        client = until(connected, "Thunderbird's Marionette", seconds=120, every=0.2)
        yield client
        client.close()
    finally:
        # The X server, xvfb-run and Thunderbird are one group, made here.
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(120)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def idles(folder):
    """Whether the connection that has INBOX open has sent IDLE last, by Thunderbird's own log."""
    lines = (folder / "imap.moz_log").read_text(errors="replace").splitlines()
    sent = [line for line in lines if ":S-INBOX:SendData:" in line]
    return bool(sent) and sent[-1].endswith(" IDLE")


def test_thunderbird(thunderbird, server, alice, tmp_path):
    PICTURES.mkdir(parents=True, exist_ok=True)
    subject, other, news, word = unique("bird"), unique("other"), unique("news"), unique("gurken")
    server.deliver(alice, message(other, body="Nichts.\r\n"))
    body = f"Привет, {word}!\r\n"
    server.deliver(alice, message(subject, body=body, extra=["Content-Type: text/plain; charset=utf-8"]))
    client = server.imap_login(alice)
    # It shows what is subscribed.
    client.create("Archive/2026")
    client.subscribe("Archive/2026")

    def there(mailbox, *keys):
        """How many messages a search finds."""
        client.select(f'"{mailbox}"', readonly=True)
        return len(client.search(None, *keys)[1][0].split())

    def script(text, *arguments):
        return thunderbird.script(HEAD + text, *arguments)

    # The password goes where Thunderbird keeps it; then it logs in.
    until(lambda: thunderbird.script("""
        const window = Services.wm.getMostRecentWindow("mail:3pane");
        return !!window?.document.getElementById("tabmail")?.currentAbout3Pane?.displayFolder;
    """), "the main window", seconds=60)
    script("""
        const login = Cc["@mozilla.org/login-manager/loginInfo;1"].createInstance(Ci.nsILoginInfo);
        login.init("imap://localhost", null, "imap://localhost", args[0], args[1], "", "");
        await Services.logins.addLoginAsync(login);
        server.performExpand(window.msgWindow);
        inbox.getNewMessages(window.msgWindow, null);
    """, alice.address, alice.password)
    folders = {"Archive", "2026", "Sent", "Drafts", "Trash"}
    seen = "return root.descendants.map(one => one.name);"
    until(lambda: folders <= set(script(seen)), "the folders")
    script("tabmail.currentAbout3Pane.displayFolder(inbox); inbox.updateFolder(window.msgWindow);")
    until(lambda: script("return !!message(args[0]) && !!message(args[1]);", subject, other), "the messages")
    thunderbird.screenshot(PICTURES / "thunderbird-1-folders.png")

    # A message is read.
    script("tabmail.currentAbout3Pane.selectMessage(message(args[0]));", subject)
    shown = "return tabmail.currentAboutMessage?.getMessagePaneBrowser()?.contentDocument?.body?.textContent ?? '';"
    until(lambda: word in script(shown), "the text on the screen")
    assert "Привет" in script(shown)
    thunderbird.screenshot(PICTURES / "thunderbird-2-message.png")
    until(lambda: there("INBOX", "SEEN", "SUBJECT", subject) == 1, "\\Seen")
    assert there("INBOX", "SEEN") == 1

    # It is flagged, and found by a search on the server.
    script("inbox.markMessagesFlagged([message(args[0])], true);", subject)
    until(lambda: there("INBOX", "FLAGGED", "SUBJECT", subject) == 1, "\\Flagged")
    found = script("""
        const session = Cc["@mozilla.org/messenger/searchSession;1"].createInstance(Ci.nsIMsgSearchSession);
        session.addScopeTerm(Ci.nsMsgSearchScope.onlineMail, inbox);
        const term = session.createTerm();
        const value = term.value;
        term.attrib = value.attrib = Ci.nsMsgSearchAttrib.Body;
        term.op = Ci.nsMsgSearchOp.Contains;
        value.str = args[0];
        term.value = value;
        session.appendTerm(term);
        const hits = [];
        await new Promise(resolve => {
            session.registerListener({
                onSearchHit: header => hits.push(header.mime2DecodedSubject), onSearchDone: resolve, onNewSearch() {},
            }, Ci.nsIMsgSearchSession.allNotifications);
            session.search(null);
        });
        return hits;
    """, word)
    assert found == [subject]

    # It is moved.
    script("""
        const target = root.descendants.find(one => one.name == "2026");
        await new Promise((resolve, reject) => MailServices.copy.copyMessages(
            inbox, [message(args[0])], target, true,
            {OnStartCopy() {}, OnProgress() {}, onStartCopy() {}, onProgress() {}, SetMessageKey() {}, GetMessageId() {},
             setMessageKey() {}, getMessageId() {},
             OnStopCopy: status => status ? reject(status) : resolve(),
             onStopCopy: status => status ? reject(status) : resolve()},
            window.msgWindow, false));
    """, subject)
    until(lambda: there("Archive/2026", "FLAGGED", "SEEN", "SUBJECT", subject) == 1, "the message in Archive/2026")
    assert there("INBOX", "SUBJECT", subject) == 0

    # News come while it idles (two seconds after its last command): it is not asked to look.
    until(lambda: idles(tmp_path), "IDLE", seconds=60, every=0.1)
    server.deliver(alice, message(news))
    until(lambda: script("return !!message(args[0]);", news), "the news")
    thunderbird.screenshot(PICTURES / "thunderbird-3-news.png")
    for name in ("1-folders", "2-message", "3-news"):
        assert (PICTURES / f"thunderbird-{name}.png").read_bytes()[:4] == b"\x89PNG"
    client.logout()
