# BINARY (RFC 3516; RFC 9051 §6.4.5, §7.5.2).

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY *] *
C: b APPEND INBOX {321+}
C< MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nna=C3=AFve=20text\r\n--b\r\nContent-Type: image/x\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\nAwQF\r\n--b\r\nContent-Type: text/plain\r\nContent-Transfer-Encoding: x-rot13\r\n\r\nuryyb\r\n--b--\r\n\r\n
S: b OK [APPENDUID 1001 1] APPEND completed
C: c APPEND INBOX ~{75+}  # §4.4: NUL in a literal8; kept without loss, in base64
C< Subject: n\r\nContent-Type: image/x\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\x01\x02\r\n
S: c OK [APPENDUID 1001 2] APPEND completed
C: d APPEND INBOX ~{15+}
C< Subject: \0x\r\n\r\n\r\n
S: d NO [UNKNOWN-CTE] NUL stands where no transfer encoding can hide it
C: e SELECT INBOX
S: * 2 EXISTS
S: * 2 RECENT
S: * OK [UNSEEN 1] Message 1 is the first unseen
S: * OK [UIDVALIDITY 1001] UIDs are valid
S: * OK [UIDNEXT 3] Predicted next UID
S: * FLAGS (\Answered \Flagged \Deleted \Seen \Draft)
S: * OK [PERMANENTFLAGS (\Answered \Flagged \Deleted \Seen \Draft \*)] Flags permitted
S: * OK [HIGHESTMODSEQ 13] Highest modification sequence
S: * OK [MAILBOXID (F1)] Id of this mailbox
S~ * OK [ANNOTATIONS *] Largest annotation
S: e OK [READ-WRITE] SELECT completed
C: f FETCH 1 (BINARY.PEEK[1] BINARY.SIZE[1])
S: * 1 FETCH (BINARY[1] {11}
S< na\xc3\xafve text BINARY.SIZE[1] 11)\r\n
S: f OK FETCH completed
C: g FETCH 1 BINARY.PEEK[2]  # NUL: a literal8
S< * 1 FETCH (BINARY[2] ~{6}\r\n\0\x01\x02\x03\x04\x05)\r\n
S: g OK FETCH completed
C: h FETCH 1 (BINARY.PEEK[2]<1.3> BINARY.SIZE[2] BINARY.PEEK[2]<9.3>)  # §4.2: octets of the decoded part
S< * 1 FETCH (BINARY[2]<1> {3}\r\n\x01\x02\x03 BINARY.SIZE[2] 6 BINARY[2]<9> "")\r\n
S: h OK FETCH completed
C: i FETCH 1 (BINARY.PEEK[4] BINARY.SIZE[4])  # no such part
S: * 1 FETCH (BINARY[4] NIL BINARY.SIZE[4] 0)
S: i OK FETCH completed
C: j FETCH 1:2 BINARY.SIZE[3]  # §4.3: a transfer encoding that nobody knows
S: * 2 FETCH (BINARY.SIZE[3] 0)
S: j NO [UNKNOWN-CTE] A part has a transfer encoding that is not known
C: k FETCH 2 (FLAGS BINARY[1])  # without PEEK it sets \Seen
S< * 2 FETCH (FLAGS (\\Seen \\Recent) BINARY[1] ~{3}\r\n\0\x01\x02)\r\n
S: k OK FETCH completed
C: l FETCH 2 (BODY.PEEK[])  # §6: what BODYSTRUCTURE says
S< * 2 FETCH (BODY[] {78}\r\nSubject: n\r\nContent-Type: image/x\r\nContent-Transfer-Encoding: base64\r\n\r\nAAEC\r\n)\r\n
S: l OK FETCH completed
C: m FETCH 2 (BODY BINARY.SIZE[])
S: * 2 FETCH (BODY ("image" "x" NIL NIL NIL "base64" 6) BINARY.SIZE[] 78)
S: m OK FETCH completed
C: n FETCH 2 BINARY[1.TEXT]
S~ n BAD expected a part number at column *
C: o FETCH 1 BINARY[3]  # RFC 9051 §6.4.5: the \Seen that it has set is told, though nothing else is
S: * 1 FETCH (FLAGS (\Seen \Recent))
S: o NO [UNKNOWN-CTE] A part has a transfer encoding that is not known
