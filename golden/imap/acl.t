# ACL (RFC 4314), with the examples of §2.1.1 and §3. Rights are shown in one order, `c` and `d` where a member is granted.
mailboxes: INBOX/Drafts, archive

S~ * OK [CAPABILITY *] *
C: a LOGIN joe secret
S~ a OK [CAPABILITY * ACL RIGHTS=kxten LIST-MYRIGHTS *] *
C: A001 SeTacl INBOX/Drafts David lrswida  # §2.1.1: `d` stands for `e` and `t`
S: A001 OK SETACL completed
C: A002 getacl INBOX/Drafts
S: * ACL "INBOX/Drafts" Fred lrswipkxtencda David lrswiteda
S: A002 OK GETACL completed
C: A003 Setacl INBOX/Drafts Byron lrswikda
S: A003 OK SETACL completed
C: A004 SETACL INBOX/Drafts Chris lrswi
S: A004 OK SETACL completed
C: A005 SETACL INBOX/Drafts Chris +cda  # §3.1
S: A005 OK SETACL completed
C: A006 GETACL INBOX/Drafts
S: * ACL "INBOX/Drafts" Fred lrswipkxtencda David lrswiteda Byron lrswiktecda Chris lrswikxtecda
S: A006 OK GETACL completed
C: A035 SETACL INBOX/Drafts John lrQswicda  # §3.1: never ignored silently
S: A035 BAD expected rights, of lrswipkxteancd in lower case at column 31: "lrQswicda"
C: A036 SETACL INBOX/Drafts John lrqswicda
S: A036 BAD expected rights, of lrswipkxteancd in lower case at column 31: "lrqswicda"
C: A037 SETACL INBOX/Drafts Chris -cda
S: A037 OK SETACL completed
C: A038 SETACL INBOX/Drafts David ""
S: A038 OK SETACL completed
C: A039 DELETEACL INBOX/Drafts Byron
S: A039 OK DELETEACL completed
C: A040 GETACL INBOX/Drafts
S: * ACL "INBOX/Drafts" Fred lrswipkxtencda David "" Chris lrswi
S: A040 OK GETACL completed
C: b SETACL archive -Fred wetd  # §3.2
S: b OK SETACL completed
C: c SETACL archive "the team" {1+}
C: w
S: c OK SETACL completed
C: B001 getacl archive
S: * ACL "archive" Fred lrswipkxtencda -Fred wted "the team" w
S: B001 OK GETACL completed
C: d SETACL archive "" lr  # §3: an identifier that SASLprep leaves nothing of
S: d BAD The identifier is empty, or holds what no name may hold
C: e SETACL archive {2+}
C: ­ lr
S: e BAD The identifier is empty, or holds what no name may hold
C: a001 LISTRIGHTS INBOX/Drafts Fred  # §3.4: what he always has, then the rest one by one
S: * LISTRIGHTS "INBOX/Drafts" Fred la r s w i p k x t e n c d
S: a001 OK LISTRIGHTS completed
C: a005 listrights archive anyone
S: * LISTRIGHTS "archive" anyone "" l r s w i p k x t e n a c d
S: a005 OK LISTRIGHTS completed
C: f MYRIGHTS INBOX
S: * MYRIGHTS INBOX lrswipkxtencda
S: f OK MYRIGHTS completed
C: g MYRIGHTS nowhere
S: g NO [NONEXISTENT] There is no such mailbox
C: h GETACL nowhere
S: h NO [NONEXISTENT] There is no such mailbox
W: rights archive lrs
C: i GETACL archive
S: i NO [NOPERM] You may not do that
C: j MYRIGHTS archive
S: * MYRIGHTS "archive" lrs
S: j OK MYRIGHTS completed
C: k LIST "" % RETURN (MYRIGHTS)  # RFC 8440 §4
S: * LIST (\HasChildren) "/" INBOX
S: * MYRIGHTS INBOX lrswipkxtencda
S: * LIST (\HasNoChildren) "/" "archive"
S: * MYRIGHTS "archive" lrs
S: k OK LIST completed
C: l SUBSCRIBE INBOX/Drafts
S: l OK SUBSCRIBE completed
C: m SUBSCRIBE bar
S: m OK SUBSCRIBE completed
C: A02 LIST (SUBSCRIBED RECURSIVEMATCH) "" % RETURN (MYRIGHTS)  # RFC 8440 §4: of none that do not meet the criteria
S: * LIST (\HasChildren) "/" INBOX ("CHILDINFO" ("SUBSCRIBED"))
S: * LIST (\NonExistent \HasNoChildren \Subscribed) "/" "bar"
S: A02 OK LIST completed
W: rights archive r
C: n LIST "" archive  # §4: without `l` it is not there
S: n OK LIST completed
C: o NAMESPACE
S: * NAMESPACE (("" "/")) (("Other Users/" "/")) (("Shared/" "/"))
S: o OK NAMESPACE completed
