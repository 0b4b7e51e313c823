//! How often a diff asks the server, counted by a proxy in between.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use schemac_tests::servers::{self, As};
use schemac_tests::{generate, product};

/// Passes one connection after the other on, and counts the client's queries.
fn proxy(server: String) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let queries = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&queries);
    thread::spawn(move || {
        for client in listener.incoming() {
            let (client, server) = (client.unwrap(), TcpStream::connect(&server).unwrap());
            let (mut from, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(std::net::Shutdown::Both);
            });
            let counted = Arc::clone(&counted);
            thread::spawn(move || {
                let _ = pass(client, server, &counted);
            });
        }
    });
    (port, queries)
}

/// Passes messages to the server: the first has no letter, each other one has.
fn pass(mut client: TcpStream, mut server: TcpStream, counted: &AtomicUsize) -> std::io::Result<()> {
    let mut head = [0_u8; 5];
    let mut from = 1;
    loop {
        client.read_exact(&mut head[from..])?;
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let mut body = vec![0; length - 4];
        client.read_exact(&mut body)?;
        if from == 0 && head[0] != b'p' && head[0] != b'X' {
            counted.fetch_add(1, Ordering::SeqCst);
        }
        server.write_all(&head[from..])?;
        server.write_all(&body)?;
        from = 0;
    }
}

#[test]
fn a_diff_reads_the_whole_database_in_at_most_eight_round_trips() {
    let Some(server) = servers::get(18).or_else(|| servers::all().last()) else { return };
    let database = server.database();
    let generated = generate::generate(20);
    database.execute_as(As::Superuser, &generated.prelude).unwrap();
    let folder = std::env::temp_dir().join(format!("schemac-trips-{}", std::process::id()));
    generated.write(&folder).unwrap();
    let direct = database.url_as_superuser();
    product::run(&folder, &direct, &["apply", "--yes"]).unwrap().expect(0);

    let (before, rest) = direct.split_once('@').unwrap();
    let (place, after) = rest.split_once('/').unwrap();
    let (port, queries) = proxy(place.to_owned());
    let url = format!(
        "{before}@127.0.0.1:{port}/{after}{}sslmode=disable",
        if after.contains('?') { '&' } else { '?' }
    );
    // What the apply has proven is remembered in the database.
    let run = product::run(&folder, &url, &["diff", "--timings"]).unwrap();
    assert!(run.expect(0).stdout.contains("Nothing to do"), "{}", run.all());
    assert!(!run.stderr.contains("analyse") && !run.stderr.contains("ask the server"), "{}", run.stderr);
    let by_hand = queries.swap(0, Ordering::SeqCst);
    assert!((1..=8).contains(&by_hand), "{by_hand} round trips");

    let imported = folder.join("imported");
    let out = imported.to_string_lossy();
    product::finish(product::bare(&["import", "--db", &direct, "--out", &out])).unwrap().expect(0);
    let run = product::run(&imported, &url, &["diff", "--timings"]).unwrap();
    assert!(run.expect(0).stdout.contains("Nothing to do"), "{}", run.all());
    let imported = queries.swap(0, Ordering::SeqCst);
    assert!((1..=8).contains(&imported) && imported <= by_hand, "{imported} round trips, {by_hand} by hand");
    eprintln!("{by_hand} round trips by hand, {imported} of an import");
    std::fs::remove_dir_all(folder).unwrap();
}
