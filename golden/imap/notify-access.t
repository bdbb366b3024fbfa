# NOTIFY and rights (RFC 5465 §3.1, §5.4, §5.9): \NoAccess, monitoring that ends and begins again; too much to be watched.
mailboxes: Shared/team, Shared/team/plans, private

S~ * OK [CAPABILITY *] *
C: a LOGIN bob secret
S~ a OK [CAPABILITY *] *
W: rights Shared/team l
W: rights private l
C: b NOTIFY SET (subtree Shared (MessageNew MessageExpunge MailboxName MailboxMetadataChange))  # §3.1
S: * LIST (\NoAccess \HasChildren) "/" "Shared/team"
S: b OK NOTIFY completed
W: deliver Shared/team
W: deliver Shared/team/plans
S: * STATUS "Shared/team/plans" (UIDNEXT 2 MESSAGES 1)
W: rights Shared/team lr
S: * LIST (\HasChildren) "/" "Shared/team"  # §5.9
W: deliver Shared/team
S: * STATUS "Shared/team" (UIDNEXT 3 MESSAGES 2)
W: rights Shared/team/plans lrs  # nothing that matters here
W: rights Shared/team/plans ""
S: * LIST (\NonExistent \NoAccess \HasNoChildren) "/" "Shared/team/plans"  # §5.4, §5.9
W: deliver Shared/team/plans
W: rights Shared/team/plans lr
S: * LIST (\HasNoChildren) "/" "Shared/team/plans"  # §5.4's granting of `l`
W: rights Shared/team l
S: * LIST (\NoAccess \HasChildren) "/" "Shared/team"
S2~ * OK [CAPABILITY *] *
C2: a LOGIN bob secret
S2~ a OK [CAPABILITY *] *
C2: b SETMETADATA Shared/team (/shared/comment "x")
S2: b OK SETMETADATA completed
C2: b SETMETADATA Shared/team/plans (/shared/comment "x")
S2: b OK SETMETADATA completed
W:
S: * METADATA "Shared/team/plans" /shared/comment
C: c NOTIFY NONE
S: c OK NOTIFY completed
C: c1 NOTIFY SET (subtree Shared (MessageNew MessageExpunge))  # §5.9 does not ask whether names are wanted
S: * LIST (\NoAccess \HasChildren) "/" "Shared/team"
S: c1 OK NOTIFY completed
W: rights Shared/team/plans ""
S: * LIST (\NonExistent \NoAccess \HasNoChildren) "/" "Shared/team/plans"
W: deliver Shared/team/plans
W: rights Shared/team/plans l
S: * LIST (\NoAccess \HasNoChildren) "/" "Shared/team/plans"
W: deliver Shared/team/plans
W: rights Shared/team/plans lr
S: * LIST (\HasNoChildren) "/" "Shared/team/plans"
W: deliver Shared/team/plans
S: * STATUS "Shared/team/plans" (UIDNEXT 6 MESSAGES 5)
C2: b1 CREATE Shared/new  # a name, which is not asked for
S2~ b1 OK [MAILBOXID *] *
W: deliver Shared/new
S: * STATUS "Shared/new" (UIDNEXT 2 MESSAGES 1)
C: c2 NOTIFY NONE
S: c2 OK NOTIFY completed
W: fail watch-all
C: d NOTIFY SET (mailboxes Shared/team (MailboxName))  # §3.1
S: d NO [NOTIFICATIONOVERFLOW] There is too much to be watched
W: fail watch-all
C: e NOTIFY SET (personal (MessageNew MessageExpunge MailboxName))  # one's own mailboxes are another matter
S: * LIST (\NoAccess \HasNoChildren) "/" "private"
S: e OK NOTIFY completed
W: deliver private
W: deliver INBOX
S: * STATUS INBOX (UIDNEXT 2 MESSAGES 1)
C2: c ENABLE METADATA  # RFC 5464 §4.4: as much as can be watched
S2: * ENABLED METADATA
S2: c OK ENABLE completed
C: f SETMETADATA INBOX (/shared/comment "y")
S: f OK SETMETADATA completed
C2: d NOOP
S2: * METADATA INBOX /shared/comment
S2: d OK NOOP completed
