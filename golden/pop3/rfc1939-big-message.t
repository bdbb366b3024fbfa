# A message read in three ranges; then one whose third range fails, where only a broken connection tells the client.
plaintext: yes
apop: no
drop: big

S: +OK POP3 server ready
C: USER mrose
C: PASS tanstaaf
S: +OK now PASS
S: +OK mrose's maildrop has 1 message (614400 octets)
C: RETR 1
S: +OK 614400 octets
S: From: mrose
S: Subject: big
S:
S: ..
S: ...dots
S:
S< \{614356:x}\r\n
S: .
C: TOP 1 0
S: +OK top of message follows
S: From: mrose
S: Subject: big
S:
S: .
W: reading fails after 256 KiB
C: RETR 1
C: NOOP
S: +OK 614400 octets
S: From: mrose
S: Subject: big
S:
S: ..
S: ...dots
S:
S< \{262102:x}
E:
