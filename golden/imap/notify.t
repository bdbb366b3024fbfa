# NOTIFY (RFC 5465), with its examples: §3.1 (put into the words of its grammar), §5, §5.8.
mailboxes: Lists, Lists/Lemonade, Lists/Im2000, misc
messages: 1

S~ * OK [CAPABILITY *] *
C: a LOGIN bob secret
S~ a OK [CAPABILITY * NOTIFY *] *
C: b NOTIFY SET STATUS (selected (MessageNew (uid body.peek[header.fields (from to subject)]) MessageExpunge)) (subtree Lists (MessageNew MessageExpunge))
S: * STATUS "Lists" (UIDVALIDITY 1002 UIDNEXT 1 MESSAGES 0)
S: * STATUS "Lists/Lemonade" (UIDVALIDITY 1003 UIDNEXT 1 MESSAGES 0)
S: * STATUS "Lists/Im2000" (UIDVALIDITY 1004 UIDNEXT 1 MESSAGES 0)
S: b OK NOTIFY completed
C: c SELECT INBOX
S~ * 1 EXISTS
S~ * 1 RECENT
S~ * OK [UNSEEN 1] *
S~ * OK [UIDVALIDITY 1001] *
S~ * OK [UIDNEXT 2] *
S~ * FLAGS *
S~ * OK [PERMANENTFLAGS *] *
S~ * OK [HIGHESTMODSEQ *] *
S~ * OK [MAILBOXID *] *
S~ * OK [ANNOTATIONS *] Largest annotation
S: c OK [READ-WRITE] SELECT completed
W: deliver Lists/Lemonade  # between commands
S: * STATUS "Lists/Lemonade" (UIDNEXT 2 MESSAGES 1)
W: deliver misc  # not asked for
W: deliver INBOX  # §5.2: EXISTS, then what was asked for
S: * 2 EXISTS
S: * 2 RECENT
S: * 2 FETCH (UID 2 BODY[HEADER.FIELDS (from to subject)] {71}
S: From: A2 <a2@example.test>
S: To: me@example.test
S: Subject: message 2
S: 
S: )
W: expunge INBOX 1  # §5.3
S: * 1 EXPUNGE
C: d APPEND INBOX {6+}  # §5.2: nothing is fetched of what this client brings
C: a: b
C: 
S: * 2 EXISTS
S: * 2 RECENT
S: d OK [APPENDUID 1001 3] APPEND completed
C: d APPEND Lists/Lemonade {6+}  # §5: nor is it told of its own doings elsewhere
C: a: b
C: 
S: d OK [APPENDUID 1003 2] APPEND completed
C: e STATUS misc (UIDVALIDITY UIDNEXT MESSAGES)
S: * STATUS "misc" (UIDVALIDITY 1005 UIDNEXT 2 MESSAGES 1)
S: e OK STATUS completed
C: e NOTIFY SET (selected (MessageNew MessageExpunge FlagChange)) (subtree Lists (MessageNew MessageExpunge)) (mailboxes misc (MessageNew MessageExpunge FlagChange)) (personal (MailboxName SubscriptionChange MailboxMetadataChange ServerMetadataChange))
S: e OK NOTIFY completed
S2~ * OK [CAPABILITY *] *
C2: a LOGIN bob secret
S2~ a OK [CAPABILITY *] *
C2: a CREATE NewMailbox
S2: a OK [MAILBOXID (F6)] CREATE completed
W:
S: * LIST (\HasNoChildren) "/" "NewMailbox"  # §5.4
C2: a CREATE NewMailbox/below
S2: a OK [MAILBOXID (F7)] CREATE completed
W:
S: * LIST (\HasNoChildren) "/" "NewMailbox/below"
S: * LIST (\HasChildren) "/" "NewMailbox"
C2: a RENAME NewMailbox Renamed
S2: a OK RENAME completed
W:
S: * LIST (\HasChildren) "/" "Renamed" ("OLDNAME" ("NewMailbox"))
C2: a DELETE Renamed/below
S2: a OK DELETE completed
W:
S: * LIST (\NonExistent \HasNoChildren) "/" "Renamed/below"
S: * LIST (\HasNoChildren) "/" "Renamed"
C2: a SUBSCRIBE Renamed
S2: a OK SUBSCRIBE completed
W:
S: * LIST (\HasNoChildren \Subscribed) "/" "Renamed"  # §5.5
C2: a UNSUBSCRIBE Renamed
S2: a OK UNSUBSCRIBE completed
W:
S: * LIST (\HasNoChildren) "/" "Renamed"
C2: a SETMETADATA INBOX (/shared/comment "x" /private/comment "y")
S2: a OK SETMETADATA completed
W:
S: * METADATA INBOX /shared/comment /private/comment  # §5.6
C2: a SETMETADATA "" (/private/comment "z")
S2: a OK SETMETADATA completed
W:
S: * METADATA "" /private/comment  # §5.7
C2: b SELECT INBOX
S2~ * 2 EXISTS
S2~ * 0 RECENT
S2~ * OK [UNSEEN 1] *
S2~ * OK [UIDVALIDITY 1001] *
S2~ * OK [UIDNEXT 4] *
S2~ * FLAGS *
S2~ * OK [PERMANENTFLAGS *] *
S2~ * OK [HIGHESTMODSEQ *] *
S2~ * OK [MAILBOXID *] *
S2~ * OK [ANNOTATIONS *] Largest annotation
S2: b OK [READ-WRITE] SELECT completed
C2: c STORE 1 +FLAGS.SILENT ($Junk)
S2: c OK STORE completed
W:
S~ * FLAGS *
S~ * OK [PERMANENTFLAGS *] *
S: * 1 FETCH (UID 2 FLAGS (\Recent $Junk))  # §5.1
C2: d COPY 1 misc
S2~ * FLAGS *
S2~ * OK [PERMANENTFLAGS *] *
S2~ d OK [COPYUID *] COPY completed
W:
S: * STATUS "misc" (UIDNEXT 3 MESSAGES 2)
C: f ENABLE CONDSTORE
S: * ENABLED CONDSTORE
S~ * OK [HIGHESTMODSEQ *] *
S: f OK ENABLE completed
C2: d COPY 1 misc
S2~ d OK [COPYUID *] COPY completed
W:
S~ * STATUS "misc" (UIDNEXT 4 MESSAGES 3 HIGHESTMODSEQ *)
C2: e SELECT misc
S2~ * OK [CLOSED] *
S2~ * 3 EXISTS
S2~ * 3 RECENT
S2~ * OK [UNSEEN 1] *
S2~ * OK [UIDVALIDITY 1005] *
S2~ * OK [UIDNEXT 4] *
S2~ * FLAGS *
S2~ * OK [PERMANENTFLAGS *] *
S2~ * OK [HIGHESTMODSEQ *] *
S2~ * OK [MAILBOXID *] *
S2~ * OK [ANNOTATIONS *] Largest annotation
S2: e OK [READ-WRITE] SELECT completed
C2: f STORE 1 +FLAGS.SILENT (\Seen)
S2: f OK STORE completed
W:
S~ * STATUS "misc" (UIDVALIDITY 1005 UNSEEN 2 HIGHESTMODSEQ *)  # §5.1
C: g IDLE  # §4
S: + idling
W: deliver Lists
S~ * STATUS "Lists" (UIDNEXT 2 MESSAGES 1 HIGHESTMODSEQ *)
W: deliver INBOX
S: * 3 EXISTS
S: * 3 RECENT
C: DONE
S: g OK IDLE terminated
C: h NOTIFY NONE
S: h OK NOTIFY completed
W: deliver INBOX
W: deliver Lists
C: i NOOP
S: i OK NOOP completed
C: j NOTIFY SET (selected (MessageNew MessageExpunge))  # §3.1: an implicit NOOP
S: * 4 EXISTS
S: * 4 RECENT
S: j OK NOTIFY completed
