use super::*;

const RSA_RECORD: &str = "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi\
    Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+\
    l/K4w3QIDAQAB";

fn read(record: &str) -> Result<PublicKey, KeyFault> {
    PublicKey::read(record.as_bytes())
}

/// RFC 8463 §A.1, §A.2.
#[test]
fn the_rfc_8463_key_has_its_record() {
    let seed = BASE64_STANDARD.decode("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=").unwrap();
    let key = SigningKey::from_pkcs8(&ed25519_pkcs8(seed.as_slice().try_into().unwrap())).unwrap();
    assert_eq!((key.kind(), key.bits()), (KeyKind::Ed25519, 256));
    assert_eq!(key.record(), "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
    let public = read(&key.record()).unwrap();
    assert!(public.verifies(b"octets", &key.sign(b"octets")));
    assert!(!public.verifies(b"Octets", &key.sign(b"octets")));
}

#[test]
fn records_are_read() {
    let key = read(RSA_RECORD).unwrap();
    assert_eq!((key.kind(), key.bits(), key.is_testing()), (KeyKind::Rsa, 1024, false));
    // Everything by default, and what only some allow.
    let p = RSA_RECORD.split_once("p=").unwrap().1;
    for record in [
        format!("p={p}"),
        format!("h=sha1 : sha256; p={p}; s=email; t=s"),
        format!("g=*; k=rsa; s=*:other; n=a=20note; p={} \r\n {}", &p[..20], &p[20..]),
    ] {
        assert!(read(&record).is_ok(), "{record}");
    }
    assert!(read(&format!("p={p}; t=y:s")).unwrap().is_testing());
    assert!(read(&format!("p={p}; t=y:s")).unwrap().wants_same_domain());
}

#[test]
fn records_that_are_no_keys() {
    let p = RSA_RECORD.split_once("p=").unwrap().1;
    for (record, wanted) in [
        (String::new(), KeyFault::Syntax),
        ("v=spf1 -all".into(), KeyFault::Version),
        (format!("v=DKIM1.0; p={p}"), KeyFault::Version),
        (format!("k=rsa; v=DKIM1; p={p}"), KeyFault::Version),
        ("v=DKIM1; k=rsa".into(), KeyFault::Syntax),
        ("v=DKIM1; p=".into(), KeyFault::Revoked),
        ("v=DKIM1; p=!!".into(), KeyFault::Syntax),
        (format!("k=dsa; p={p}"), KeyFault::Kind),
        (format!("k=ed25519; p={p}"), KeyFault::Kind),
        ("k=rsa; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=".into(), KeyFault::Kind),
        (format!("h=sha1; p={p}"), KeyFault::Hash),
        (format!("s=tlsrpt; p={p}"), KeyFault::Service),
        // RFC 8301 §3.2: 512 bits.
        (
            "p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAM8ZNPLy8wmqxjGYRBmcQ9hJaBVy3IeBcbt9DXtgGtMPAVnJcMfmS3RQTCTj4R2xMYmCx7pGGiYv\
             fkmbYqvGE0UCAwEAAQ=="
                .into(),
            KeyFault::Size,
        ),
    ] {
        assert_eq!(read(&record), Err(wanted), "{record}");
    }
}

#[test]
fn private_keys_are_checked() {
    // RFC 8301 §3.2: signers use 2048 bits; the key of RFC 8463 §A.1 has 1024.
    let small = include_str!("../testdata/rfc8463-a1.pem");
    assert_eq!(SigningKey::from_pem(small).unwrap_err(), KeyFault::Private);
    for bad in
        ["", "-----BEGIN PRIVATE KEY-----\n!\n-----END PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\n"]
    {
        assert_eq!(SigningKey::from_pem(bad).unwrap_err(), KeyFault::Private);
    }
    let der = ed25519_pkcs8(&[9; 32]);
    let pem = format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        BASE64_STANDARD.encode(&*der)
    );
    let (key, kept) = SigningKey::from_pem(&pem).unwrap();
    assert_eq!(kept, der);
    assert_eq!(format!("{key:?}"), "SigningKey(ed25519)", "the key is not shown");
}
