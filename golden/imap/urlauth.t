# URLAUTH (RFC 4467), URLAUTH=BINARY (RFC 5524).
world: encoded
mailboxes: Other
submitters: submitserver@example.test
chunk: 50

S~ * OK [CAPABILITY *] *
C: x GENURLAUTH "imap://joe@example.test/INBOX/;uid=1/;section=1;urlauth=submit+fred" INTERNAL  # §9: command-auth
S: x BAD GENURLAUTH needs a log-in first
C: a LOGIN joe secret
S~ a OK [CAPABILITY * URLAUTH URLAUTH=BINARY *] *
C: a775 GENURLAUTH "imap://joe@example.test/INBOX/;uid=1/;section=1" INTERNAL  # §7, the RFC's own examples
S: a775 BAD missing access identifier in supplied URL
C: a776 GENURLAUTH "imap://example.test/Shared/;uid=20/;section=1.2;urlauth=submit+fred" INTERNAL
S: a776 BAD missing owner username in supplied URL
C: a777 GENURLAUTH "imap://joe@example.test/INBOX/;uid=1/;section=1;urlauth=submit+fred" INTERNAL
S: * GENURLAUTH "imap://joe@example.test/INBOX/;uid=1/;section=1;urlauth=submit+fred:internal:0150df8c5994f2fda5e2c9243de8121736b7fe8e71d486bfcb530467b59adf5d30"
S: a777 OK GENURLAUTH completed
C: b GENURLAUTH imap://joe@example.test/INBOX/;uid=1/;section=1;urlauth=user+fred internal imap://joe@example.test/INBOX/;uid=1/;section=2.1;urlauth=authuser INTERNAL  # the key stays the same
S: * GENURLAUTH "imap://joe@example.test/INBOX/;uid=1/;section=1;urlauth=user+fred:internal:0180c67a631a45066572ce827972314ed18c0cacd14a86119f850590ed8314c4e1" "imap://joe@example.test/INBOX/;uid=1/;section=2.1;urlauth=authuser:internal:011b0c1301e7a0d634cb3d6ae99708098dc4d61d3b3017610d102c1ed2d1240779"
S: b OK GENURLAUTH completed
C: c GENURLAUTH imap://joe@example.test/INBOX/;uid=1/;partial=0.4;expire=2023-11-14T22:13:20Z;urlauth=anonymous INTERNAL imap://joe@example.test/INBOX/;uid=1/;partial=0.4;expire=2023-11-14T22:13:19Z;urlauth=anonymous INTERNAL
S: * GENURLAUTH "imap://joe@example.test/INBOX/;uid=1/;partial=0.4;expire=2023-11-14T22:13:20Z;urlauth=anonymous:internal:01a8527f6c42a008f973e55d22249f80e7175a80382ee5a0264d5d83f6e441c24a" "imap://joe@example.test/INBOX/;uid=1/;partial=0.4;expire=2023-11-14T22:13:19Z;urlauth=anonymous:internal:016a73eab1d1212478f00807560f66fef8a8b8c68e56ebfe87efa719d481291eea"
S: c OK GENURLAUTH completed
C: d GENURLAUTH imap://joe@example.test/INBOX/;uid=1/;section=1;urlauth=user+fred:internal:0180c67a631a45066572ce827972314ed18c0cacd14a86119f850590ed8314c4e1 INTERNAL
S: d BAD the supplied URL has a token already
C: e GENURLAUTH "imap://joe@example.test/INBOX;urlauth=anonymous" INTERNAL  # §3: of a message only
S~ e BAD it names no message *
C: f GENURLAUTH "imap://joe@elsewhere.test/INBOX/;uid=1;urlauth=anonymous" INTERNAL  # (2)
S: f BAD the supplied URL names no mailbox of yours
C: g GENURLAUTH "imap://ann@example.test/INBOX/;uid=1;urlauth=anonymous" INTERNAL
S: g BAD the supplied URL names no mailbox of yours
C: h GENURLAUTH "imap://joe@example.test/nowhere/;uid=1;urlauth=anonymous" INTERNAL  # (1)
S: h BAD the supplied URL names no mailbox of yours
C: i GENURLAUTH imap://joe@example.test/INBOX/;uid=1/;section=1;urlauth=user+fred XSAMPLE
S: i NO [CANNOT] The only mechanism is INTERNAL
C: j GENURLAUTH imap://joe@example.test/INBOX/;uid=1/;section=1;urlauth=user+fred
S~ j BAD *
C: k URLFETCH imap://joe@example.test/INBOX/;uid=1/;section=2.1;urlauth=authuser:internal:011b0c1301e7a0d634cb3d6ae99708098dc4d61d3b3017610d102c1ed2d1240779 imap://joe@example.test/INBOX/;uid=1/;partial=0.4;expire=2023-11-14T22:13:20Z;urlauth=anonymous:internal:01a8527f6c42a008f973e55d22249f80e7175a80382ee5a0264d5d83f6e441c24a  # §7: as BODY.PEEK[…] would tell; each has a response of its own
S: * URLFETCH "imap://joe@example.test/INBOX/;uid=1/;section=2.1;urlauth=authuser:internal:011b0c1301e7a0d634cb3d6ae99708098dc4d61d3b3017610d102c1ed2d1240779" {10}
S: inner body
S: * URLFETCH "imap://joe@example.test/INBOX/;uid=1/;partial=0.4;expire=2023-11-14T22:13:20Z;urlauth=anonymous:internal:01a8527f6c42a008f973e55d22249f80e7175a80382ee5a0264d5d83f6e441c24a" {4}
S: From
S: k OK URLFETCH completed
C: l URLFETCH imap://joe@example.test/INBOX/;uid=1/;partial=0.4;expire=2023-11-14T22:13:19Z;urlauth=anonymous:internal:016a73eab1d1212478f00807560f66fef8a8b8c68e56ebfe87efa719d481291eea  # §3: it has expired
S: * URLFETCH "imap://joe@example.test/INBOX/;uid=1/;partial=0.4;expire=2023-11-14T22:13:19Z;urlauth=anonymous:internal:016a73eab1d1212478f00807560f66fef8a8b8c68e56ebfe87efa719d481291eea" NIL
S: l OK URLFETCH completed
C: m URLFETCH imap://joe@example.test/INBOX/;uid=1/;section=1;urlauth=user+fred:internal:0180c67a631a45066572ce827972314ed18c0cacd14a86119f850590ed8314c4e1 imap://joe@example.test/INBOX/;uid=1/;section=1;urlauth=submit+fred:internal:0150df8c5994f2fda5e2c9243de8121736b7fe8e71d486bfcb530467b59adf5d30  # not for joe
S: * URLFETCH "imap://joe@example.test/INBOX/;uid=1/;section=1;urlauth=user+fred:internal:0180c67a631a45066572ce827972314ed18c0cacd14a86119f850590ed8314c4e1" NIL
S: * URLFETCH "imap://joe@example.test/INBOX/;uid=1/;section=1;urlauth=submit+fred:internal:0150df8c5994f2fda5e2c9243de8121736b7fe8e71d486bfcb530467b59adf5d30" NIL
S: m OK URLFETCH completed
C: n URLFETCH imap://joe@example.test/INBOX/;UID=1/;section=2.1;urlauth=authuser:internal:011b0c1301e7a0d634cb3d6ae99708098dc4d61d3b3017610d102c1ed2d1240779 imap://joe@example.test/INBOX/;uid=1/;section=2.1;urlauth=authuser:internal:011b0c1301e7a0d634cb3d6ae99708098dc4d61d3b3017610d102c1ed2d1240770 imap://joe@example.test/INBOX/;uid=1/;section=2.1;urlauth=authuser imap://joe@example.test/INBOX "" ":"  # §6: not an octet may differ
S: * URLFETCH "imap://joe@example.test/INBOX/;UID=1/;section=2.1;urlauth=authuser:internal:011b0c1301e7a0d634cb3d6ae99708098dc4d61d3b3017610d102c1ed2d1240779" NIL
S: * URLFETCH "imap://joe@example.test/INBOX/;uid=1/;section=2.1;urlauth=authuser:internal:011b0c1301e7a0d634cb3d6ae99708098dc4d61d3b3017610d102c1ed2d1240770" NIL
S: * URLFETCH "imap://joe@example.test/INBOX/;uid=1/;section=2.1;urlauth=authuser" NIL
S: * URLFETCH "imap://joe@example.test/INBOX" NIL
S: * URLFETCH "" NIL
S: * URLFETCH ":" NIL
S: n OK URLFETCH completed
S2~ * OK [CAPABILITY *] *
C2: a LOGIN fred secret
S2~ a OK [CAPABILITY *] *
C2: b URLFETCH imap://joe@example.test/INBOX/;uid=1/;section=1;urlauth=user+fred:internal:0180c67a631a45066572ce827972314ed18c0cacd14a86119f850590ed8314c4e1 imap://joe@example.test/INBOX/;uid=1/;section=1;urlauth=submit+fred:internal:0150df8c5994f2fda5e2c9243de8121736b7fe8e71d486bfcb530467b59adf5d30 imap://joe@example.test/INBOX/;uid=1/;section=2.1;urlauth=authuser:internal:011b0c1301e7a0d634cb3d6ae99708098dc4d61d3b3017610d102c1ed2d1240779  # another user reads what was meant for him
S2: * URLFETCH "imap://joe@example.test/INBOX/;uid=1/;section=1;urlauth=user+fred:internal:0180c67a631a45066572ce827972314ed18c0cacd14a86119f850590ed8314c4e1" {5}
S2: first
S2: * URLFETCH "imap://joe@example.test/INBOX/;uid=1/;section=1;urlauth=submit+fred:internal:0150df8c5994f2fda5e2c9243de8121736b7fe8e71d486bfcb530467b59adf5d30" NIL
S2: * URLFETCH "imap://joe@example.test/INBOX/;uid=1/;section=2.1;urlauth=authuser:internal:011b0c1301e7a0d634cb3d6ae99708098dc4d61d3b3017610d102c1ed2d1240779" {10}
S2: inner body
S2: b OK URLFETCH completed
S3~ * OK [CAPABILITY *] *
C3: a001 LOGIN submitserver secret  # §7's example: a submission server
S3~ a001 OK [CAPABILITY *] *
C3: a002 URLFETCH "imap://joe@example.test/INBOX/;uid=1/;section=1;urlauth=submit+fred:internal:0150df8c5994f2fda5e2c9243de8121736b7fe8e71d486bfcb530467b59adf5d30" imap://joe@example.test/INBOX/;uid=1/;section=1;urlauth=user+fred:internal:0180c67a631a45066572ce827972314ed18c0cacd14a86119f850590ed8314c4e1
S3: * URLFETCH "imap://joe@example.test/INBOX/;uid=1/;section=1;urlauth=submit+fred:internal:0150df8c5994f2fda5e2c9243de8121736b7fe8e71d486bfcb530467b59adf5d30" {5}
S3: first
S3: * URLFETCH "imap://joe@example.test/INBOX/;uid=1/;section=1;urlauth=user+fred:internal:0180c67a631a45066572ce827972314ed18c0cacd14a86119f850590ed8314c4e1" NIL
S3: a002 OK URLFETCH completed
C: o GENURLAUTH imap://joe@mail.example.test/INBOX/;UID=2/;SECTION=1;URLAUTH=authuser INTERNAL imap://joe@mail.example.test/INBOX/;UID=2/;SECTION=2;URLAUTH=authuser INTERNAL imap://joe@mail.example.test/INBOX/;UID=2/;SECTION=200;URLAUTH=authuser INTERNAL imap://joe@mail.example.test/INBOX/;UID=2;URLAUTH=authuser INTERNAL
S: * GENURLAUTH "imap://joe@mail.example.test/INBOX/;UID=2/;SECTION=1;URLAUTH=authuser:internal:01754cf6576b79d6f8693b9e7dbf1bafa2f86fa81a47c8699f1a05b022b03d84d3" "imap://joe@mail.example.test/INBOX/;UID=2/;SECTION=2;URLAUTH=authuser:internal:01770cb344ec2725e83f8dd524871b9bd74a2edd7d7d429f37f3a250a6c5f99247" "imap://joe@mail.example.test/INBOX/;UID=2/;SECTION=200;URLAUTH=authuser:internal:013a69f4de809e51d42f8a66a80c212e855739972e795668313eebbf9952bf52fb" "imap://joe@mail.example.test/INBOX/;UID=2;URLAUTH=authuser:internal:01a1a1101b5bb02047a8f02b0ca47a26134bdb0a773b5fb6b4fb4bf8961270bb7c"
S: o OK GENURLAUTH completed
C: A001 URLFETCH ("imap://joe@mail.example.test/INBOX/;UID=2/;SECTION=1;URLAUTH=authuser:internal:01754cf6576b79d6f8693b9e7dbf1bafa2f86fa81a47c8699f1a05b022b03d84d3" BINARY)  # RFC 5524 §4: NUL wants literal8
S: * URLFETCH "imap://joe@mail.example.test/INBOX/;UID=2/;SECTION=1;URLAUTH=authuser:internal:01754cf6576b79d6f8693b9e7dbf1bafa2f86fa81a47c8699f1a05b022b03d84d3" (BINARY ~{5}
S< PNG\0\x01)\r\n
S: A001 OK URLFETCH completed
C: A001 URLFETCH ("imap://joe@mail.example.test/INBOX/;UID=2/;SECTION=1;URLAUTH=authuser:internal:01754cf6576b79d6f8693b9e7dbf1bafa2f86fa81a47c8699f1a05b022b03d84d3" BINARY BODYPARTSTRUCTURE)
S: * URLFETCH "imap://joe@mail.example.test/INBOX/;UID=2/;SECTION=1;URLAUTH=authuser:internal:01754cf6576b79d6f8693b9e7dbf1bafa2f86fa81a47c8699f1a05b022b03d84d3" (BODYPARTSTRUCTURE ("IMAGE" "PNG" NIL NIL NIL "BINARY" 5)) (BINARY ~{5}
S< PNG\0\x01)\r\n
S: A001 OK URLFETCH completed
C: A001 URLFETCH ("imap://joe@mail.example.test/INBOX/;UID=2/;SECTION=1;URLAUTH=authuser:internal:01754cf6576b79d6f8693b9e7dbf1bafa2f86fa81a47c8699f1a05b022b03d84d3" BODYPARTSTRUCTURE)
S: * URLFETCH "imap://joe@mail.example.test/INBOX/;UID=2/;SECTION=1;URLAUTH=authuser:internal:01754cf6576b79d6f8693b9e7dbf1bafa2f86fa81a47c8699f1a05b022b03d84d3" (BODYPARTSTRUCTURE ("IMAGE" "PNG" NIL NIL NIL "BASE64" 8))
S: A001 OK URLFETCH completed
C: A001 URLFETCH ("imap://joe@mail.example.test/INBOX/;UID=2/;SECTION=1;URLAUTH=authuser:internal:01754cf6576b79d6f8693b9e7dbf1bafa2f86fa81a47c8699f1a05b022b03d84d3" BODYPARTSTRUCTURE BODY) (imap://joe@mail.example.test/INBOX/;UID=2/;SECTION=1;URLAUTH=authuser:internal:01754cf6576b79d6f8693b9e7dbf1bafa2f86fa81a47c8699f1a05b022b03d84d3)
S: * URLFETCH "imap://joe@mail.example.test/INBOX/;UID=2/;SECTION=1;URLAUTH=authuser:internal:01754cf6576b79d6f8693b9e7dbf1bafa2f86fa81a47c8699f1a05b022b03d84d3" (BODYPARTSTRUCTURE ("IMAGE" "PNG" NIL NIL NIL "BASE64" 8)) (BODY {8}
S: UE5HAAE=)
S: * URLFETCH "imap://joe@mail.example.test/INBOX/;UID=2/;SECTION=1;URLAUTH=authuser:internal:01754cf6576b79d6f8693b9e7dbf1bafa2f86fa81a47c8699f1a05b022b03d84d3" {8}
S: UE5HAAE=
S: A001 OK URLFETCH completed
C: A001 URLFETCH ("imap://joe@mail.example.test/INBOX/;UID=2/;SECTION=2;URLAUTH=authuser:internal:01770cb344ec2725e83f8dd524871b9bd74a2edd7d7d429f37f3a250a6c5f99247" BODYPARTSTRUCTURE BINARY)
S: * URLFETCH "imap://joe@mail.example.test/INBOX/;UID=2/;SECTION=2;URLAUTH=authuser:internal:01770cb344ec2725e83f8dd524871b9bd74a2edd7d7d429f37f3a250a6c5f99247" (BODYPARTSTRUCTURE ("IMAGE" "PNG" NIL NIL NIL "X-BLURDYBLOOP" 3)) (BINARY NIL)
S: A001 OK URLFETCH completed
C: A001 URLFETCH ("imap://joe@mail.example.test/INBOX/;UID=2/;SECTION=200;URLAUTH=authuser:internal:013a69f4de809e51d42f8a66a80c212e855739972e795668313eebbf9952bf52fb" BODYPARTSTRUCTURE BODY)
S: * URLFETCH "imap://joe@mail.example.test/INBOX/;UID=2/;SECTION=200;URLAUTH=authuser:internal:013a69f4de809e51d42f8a66a80c212e855739972e795668313eebbf9952bf52fb" NIL
S: A001 OK URLFETCH completed
C: p URLFETCH ("imap://joe@mail.example.test/INBOX/;UID=2/;SECTION=1;URLAUTH=authuser:internal:01754cf6576b79d6f8693b9e7dbf1bafa2f86fa81a47c8699f1a05b022b03d84d3" BODY BINARY)
S~ p BAD *
C: q URLFETCH ("imap://joe@mail.example.test/INBOX/;UID=2/;SECTION=1;URLAUTH=authuser:internal:01754cf6576b79d6f8693b9e7dbf1bafa2f86fa81a47c8699f1a05b022b03d84d3" BODY BODY)
S~ q BAD *
C: a31 RESETKEY nowhere
S: a31 NO [NONEXISTENT] There is no such mailbox
C: a33 RESETKEY INBOX XSAMPLE
S: a33 NO [CANNOT] The only mechanism is INTERNAL
C: a32 RESETKEY INBOX  # §10: URLMECH only where nobody else can read it
S: a32 OK RESETKEY completed
C: r URLFETCH imap://joe@example.test/INBOX/;uid=1/;section=2.1;urlauth=authuser:internal:011b0c1301e7a0d634cb3d6ae99708098dc4d61d3b3017610d102c1ed2d1240779  # revoked
S: * URLFETCH "imap://joe@example.test/INBOX/;uid=1/;section=2.1;urlauth=authuser:internal:011b0c1301e7a0d634cb3d6ae99708098dc4d61d3b3017610d102c1ed2d1240779" NIL
S: r OK URLFETCH completed
C: s GENURLAUTH imap://joe@example.test/INBOX/;uid=1/;section=2.1;urlauth=authuser INTERNAL
S: * GENURLAUTH "imap://joe@example.test/INBOX/;uid=1/;section=2.1;urlauth=authuser:internal:015b7962bdcad0ecec332d95eb1cd8c41f35454e64a45f40f8dc12b4b65a599dc7"
S: s OK GENURLAUTH completed
C: t URLFETCH imap://joe@example.test/INBOX/;uid=1/;section=2.1;urlauth=authuser:internal:015b7962bdcad0ecec332d95eb1cd8c41f35454e64a45f40f8dc12b4b65a599dc7
S: * URLFETCH "imap://joe@example.test/INBOX/;uid=1/;section=2.1;urlauth=authuser:internal:015b7962bdcad0ecec332d95eb1cd8c41f35454e64a45f40f8dc12b4b65a599dc7" {10}
S: inner body
S: t OK URLFETCH completed
C: a31 RESETKEY
S: a31 OK All keys removed
C: u URLFETCH imap://joe@example.test/INBOX/;uid=1/;section=2.1;urlauth=authuser:internal:015b7962bdcad0ecec332d95eb1cd8c41f35454e64a45f40f8dc12b4b65a599dc7
S: * URLFETCH "imap://joe@example.test/INBOX/;uid=1/;section=2.1;urlauth=authuser:internal:015b7962bdcad0ecec332d95eb1cd8c41f35454e64a45f40f8dc12b4b65a599dc7" NIL
S: u OK URLFETCH completed
