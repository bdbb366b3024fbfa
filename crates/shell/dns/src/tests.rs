//! The resolver against a name server that misbehaves as told, and against a zone file.

use super::*;
use hickory_resolver::proto::op::{Message, OpCode, ResponseCode};
use hickory_resolver::proto::rr::rdata::{CNAME, MX, SOA};
use hickory_resolver::proto::rr::{Record, RecordType};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::net::UdpSocket;

/// Answers over UDP as `answer` says; `None` is silence.
async fn serve(
    answer: impl Fn(&Name, RecordType, &mut Message) -> Option<()> + Send + 'static,
) -> (SocketAddr, Arc<AtomicUsize>) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let (address, count) = (socket.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let asked = count.clone();
    tokio::spawn(async move {
        let mut buffer = [0u8; 4096];
        while let Ok((length, peer)) = socket.recv_from(&mut buffer).await {
            asked.fetch_add(1, Ordering::SeqCst);
            let query = Message::from_vec(&buffer[..length]).unwrap();
            let mut reply = Message::response(query.id, OpCode::Query);
            let question = query.queries[0].clone();
            reply.add_query(question.clone());
            if answer(question.name(), question.query_type(), &mut reply).is_some() {
                socket.send_to(&reply.to_vec().unwrap(), peer).await.unwrap();
            }
        }
    });
    (address, count)
}

fn resolver(address: SocketAddr) -> Resolver {
    Resolver::new(Settings {
        servers: vec![address],
        dnssec: Dnssec::Off,
        timeout: Duration::from_millis(100),
        patience: Duration::from_secs(2),
        ..Settings::default()
    })
    .unwrap()
}

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

fn soa(ttl: u32, minimum: u32) -> Record {
    let soa = SOA::new(name("ns.test."), name("admin.test."), 1, 2, 3, 4, minimum);
    Record::from_rdata(name("test."), ttl, RData::SOA(soa))
}

#[tokio::test]
async fn records_come_with_their_ttl_and_are_asked_for_once() {
    let (address, asked) = serve(|asked, kind, reply| {
        assert_eq!(kind, RecordType::MX);
        reply.add_answer(Record::from_rdata(asked.clone(), 300, RData::MX(MX::new(10, name("MX1.Test.")))));
        reply.add_answer(Record::from_rdata(asked.clone(), 200, RData::MX(MX::new(0, Name::root()))));
        Some(())
    })
    .await;
    let resolver = resolver(address);
    let answer = resolver.mx("Example.TEST.").await.unwrap();
    assert_eq!(answer.presence, Presence::Found);
    assert_eq!(answer.records[0], Mx { preference: 10, host: "mx1.test".into() });
    assert!(answer.records[1].is_null());
    assert_eq!(answer.status, SecurityStatus::Indeterminate);
    assert_eq!(answer.ttl, Duration::from_secs(200));
    assert!(resolver.mx("example.test").await.unwrap().ttl <= Duration::from_secs(200));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    resolver.forget();
    resolver.mx("example.test").await.unwrap();
}

#[tokio::test]
async fn absences_are_answers_and_hold_as_long_as_the_zone_says() {
    let (address, asked) = serve(|asked, _, reply| {
        if asked == &name("no.test.") {
            reply.metadata.response_code = ResponseCode::NXDomain;
        }
        reply.add_authority(soa(900, 60));
        Some(())
    })
    .await;
    let resolver = resolver(address);
    let nobody = resolver.mx("no.test").await.unwrap();
    assert_eq!((nobody.presence, nobody.ttl), (Presence::NoName, Duration::from_secs(60)));
    assert_eq!(resolver.txt("yes.test").await.unwrap().presence, Presence::NoData);
    let before = asked.load(Ordering::SeqCst);
    resolver.mx("no.test").await.unwrap();
    assert_eq!(asked.load(Ordering::SeqCst), before);
}

#[tokio::test]
async fn failure_and_silence_are_faults_and_never_absences() {
    let (address, _) = serve(|asked, _, reply| {
        reply.metadata.response_code = ResponseCode::ServFail;
        (asked == &name("broken.test.")).then_some(())
    })
    .await;
    let resolver = resolver(address);
    assert!(matches!(resolver.mx("broken.test").await, Err(Fault::Failed(_))));
    assert_eq!(resolver.mx("silent.test").await, Err(Fault::TimedOut));
    assert!(resolver.addresses("broken.test").await.unwrap_err().is_transient());
}

#[tokio::test]
async fn aliases_are_followed_and_circles_end() {
    let (address, asked) = serve(|asked, kind, reply| {
        let target = match asked.to_ascii().as_str() {
            "a.test." => "b.test.",
            "b.test." => "a.test.",
            "www.test." => "real.test.",
            "real.test." if kind == RecordType::A => {
                let address = RData::A("192.0.2.7".parse().unwrap());
                reply.add_answer(Record::from_rdata(asked.clone(), 60, address));
                return Some(());
            }
            _ => {
                reply.add_authority(soa(60, 60));
                return Some(());
            }
        };
        let target = RData::CNAME(CNAME(name(target)));
        reply.add_answer(Record::from_rdata(asked.clone(), 60, target));
        Some(())
    })
    .await;
    let resolver = resolver(address);
    let found = resolver.addresses("www.test").await.unwrap();
    assert_eq!(found.records, ["192.0.2.7".parse::<IpAddr>().unwrap()]);
    assert_eq!(found.canonical, "real.test");
    assert_eq!(resolver.cname("www.test").await.unwrap().records, ["real.test"]);
    assert_eq!(resolver.mx("a.test").await, Err(Fault::Loop));
    assert!(asked.load(Ordering::SeqCst) < 40);
}

#[tokio::test]
async fn one_family_of_addresses_is_enough() {
    let (address, _) = serve(|asked, kind, reply| {
        if kind == RecordType::A {
            let address = RData::A("192.0.2.7".parse().unwrap());
            reply.add_answer(Record::from_rdata(asked.clone(), 60, address));
        } else {
            reply.metadata.response_code = ResponseCode::ServFail;
        }
        Some(())
    })
    .await;
    assert_eq!(resolver(address).addresses("h.test").await.unwrap().records.len(), 1);
}

#[tokio::test]
async fn a_server_without_signatures_is_believed_no_further_than_that() {
    let (address, _) = serve(|asked, kind, reply| {
        if kind == RecordType::MX {
            reply.add_answer(Record::from_rdata(asked.clone(), 60, RData::MX(MX::new(1, name("mx.test.")))));
        } else {
            reply.metadata.response_code = ResponseCode::Refused;
        }
        Some(())
    })
    .await;
    let settings = Settings {
        servers: vec![address],
        timeout: Duration::from_millis(200),
        patience: Duration::from_secs(5),
        ..Settings::default()
    };
    let auto = Resolver::new(settings.clone()).unwrap();
    assert_eq!(auto.mx("x.test").await.unwrap().status, SecurityStatus::Indeterminate);
    let strict = Resolver::new(Settings { dnssec: Dnssec::On, ..settings }).unwrap();
    assert_eq!(strict.mx("x.test").await, Err(Fault::Bogus));
}

#[tokio::test]
async fn a_zone_file_answers_and_is_read_again() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "x.test MX 10 mx.test.\nmx.test A 127.0.0.1\nmx.test AAAA ::1\n7.2.0.192.in-addr.arpa PTR mx.test.\n_s._tcp.x.test SRV 1 2 465 mx.test.\nx.test CAA 0 issue \"ca.test\"\n").unwrap();
    let settings = Settings { zone_file: Some(file.path().to_owned()), ..Settings::default() };
    let resolver = Resolver::new(settings.clone()).unwrap();
    assert_eq!(resolver.mx("x.test").await.unwrap().records[0].host, "mx.test");
    let addresses = resolver.addresses("mx.test").await.unwrap();
    assert_eq!(addresses.records, ["::1", "127.0.0.1"].map(|text| text.parse::<IpAddr>().unwrap()));
    assert!(addresses.status.is_secure());
    let names = resolver.ptr("192.0.2.7".parse().unwrap()).await.unwrap();
    assert_eq!(names.records, ["mx.test"]);
    assert_eq!(resolver.srv("_s._tcp.x.test").await.unwrap().records[0].port, 465);
    assert_eq!(resolver.caa("x.test").await.unwrap().records[0].value, "ca.test");
    assert!(matches!(resolver.mx("").await, Err(Fault::BadName(_))));
    assert!(matches!(resolver.mx(&"x".repeat(70)).await, Err(Fault::BadName(_))));

    std::fs::write(&file, "x.test MX 10\n").unwrap();
    assert!(resolver.reload(&settings).unwrap_err().to_string().contains("line 1"));
    assert_eq!(resolver.mx("x.test").await.unwrap().records.len(), 1, "the old one stays");
    std::fs::write(&file, "y.test MX 10 mx.test.\n").unwrap();
    resolver.reload(&settings).unwrap();
    assert_eq!(resolver.mx("x.test").await.unwrap().presence, Presence::NoName);
}

#[tokio::test]
async fn localhost_is_this_machine_and_nobody_is_asked() {
    let (address, asked) = serve(|_, _, _| None).await;
    for name in ["localhost", "LocalHost.", "mail.localhost"] {
        let found = resolver(address).addresses(name).await.unwrap();
        assert_eq!(found.records, ["::1", "127.0.0.1"].map(|text| text.parse::<IpAddr>().unwrap()), "{name}");
        assert!(!found.status.is_secure());
    }
    assert_eq!(asked.load(Ordering::SeqCst), 0);
    assert!(resolver(address).addresses("notlocalhost").await.is_err());
}
