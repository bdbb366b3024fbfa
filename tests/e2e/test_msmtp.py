"""msmtp: sending with every mechanism that both sides know."""

import pytest
from harness.mail import message, unique
from harness.programs import run


def config(server, account, folder, *, port, starttls, auth):
    """Write a configuration file."""
    path = folder / "msmtprc"
    path.write_text(
        f"account default\nhost localhost\nport {port}\ntls on\ntls_starttls {'on' if starttls else 'off'}\n"
        f"tls_trust_file {server.ca}\nauth {auth}\nuser {account.address}\npassword {account.password}\n"
        f"from {account.address}\n"
    )
    path.chmod(0o600)
    return path


@pytest.mark.parametrize("starttls", [True, False], ids=["starttls", "implicit"])
@pytest.mark.parametrize("auth", ["plain", "login", "scram-sha-256", "scram-sha-1", "cram-md5"])
def test_sending(server, app_server, tmp_path, auth, starttls):
    server = app_server if auth == "cram-md5" else server
    alice, bob = server.account(), server.account()
    login = server.app_password(alice) if auth == "cram-md5" else alice
    port = server.submission if starttls else server.submissions
    path = config(server, login, tmp_path, port=port, starttls=starttls, auth=auth)
    subject = unique()
    run(["msmtp", "-C", path, bob.address], stdin=message(subject, sender=alice.address))
    assert [subject.encode() in raw for raw in server.contents(bob)] == [True]


def test_scram_with_an_application_password(app_server, tmp_path):
    server, alice, bob = app_server, app_server.account(), app_server.account()
    app = server.app_password(alice)
    path = config(server, app, tmp_path, port=server.submission, starttls=True, auth="scram-sha-256")
    run(["msmtp", "-C", path, bob.address], stdin=message(sender=alice.address))
    assert len(server.contents(bob)) == 1
