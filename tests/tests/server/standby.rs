//! A server where nothing can be created: what it has can be read and compared, and what nobody could be asked about is
//! said.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};
use schemac_tests::product;
use schemac_tests::servers::{self, As, OWNER, Server};

use crate::value;

/// A hot standby that was made from the files of a server; it stops when this is dropped.
struct Standby {
    process: Child,
    port: u16,
}

impl Standby {
    /// Copies the files of a server that nobody writes to, and starts a standby on them: no client program is needed.
    fn of(server: &Server) -> Self {
        let scratch = server.scratch();
        let mut admin = scratch.connect("postgres").unwrap();
        admin.batch_execute("checkpoint").unwrap();
        let data = scratch.data_folder();
        let folder = data.parent().unwrap().join("standby");
        assert!(Command::new("cp").arg("-a").arg(&data).arg(&folder).status().unwrap().success());
        let _ = fs::remove_file(folder.join("postmaster.pid"));
        let port = {
            let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
            listener.local_addr().unwrap().port()
        };
        let settings = folder.join("postgresql.auto.conf");
        let text = fs::read_to_string(&settings).unwrap();
        fs::write(&settings, format!("{text}port = {port}\nhot_standby = on\n")).unwrap();
        fs::write(folder.join("standby.signal"), "").unwrap();
        let program: PathBuf = fs::read_link(format!("/proc/{}/exe", scratch.process_id().unwrap())).unwrap();
        let owner = fs::metadata(&data).unwrap();
        let log = fs::File::create(folder.join("log")).unwrap();
        let mut command = Command::new(program);
        command.arg("-D").arg(&folder).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
        if fs::metadata("/proc/self").unwrap().uid() != owner.uid() {
            command.uid(owner.uid()).gid(owner.gid());
        }
        Self { process: command.spawn().unwrap(), port }
    }

    fn url(&self, server: &Server, role: &str, database: &str) -> String {
        format!("postgres://{role}:{}@127.0.0.1:{}/{database}", server.scratch().password(), self.port)
    }

    /// Waits until it takes connections.
    fn connect(&self, url: &str) -> Client {
        let begin = Instant::now();
        loop {
            match Client::connect(url, NoTls) {
                Ok(client) => return client,
                Err(error) if begin.elapsed() > Duration::from_secs(60) => panic!("no standby: {error}"),
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        }
    }
}

impl Drop for Standby {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-QUIT", &self.process.id().to_string()]).status();
        let _ = self.process.wait();
    }
}

const TABLE: &str = "domain: app
tables:
  t:
    columns:
      id: bigint primary key
      at: timestamptz
      s: varchar(20)
    checks:
      s_check: s in ('a', 'b')
      at_check: at > '2024-01-01 Europe/Berlin'
";

fn write(folder: &Path, yaml: &str) {
    fs::create_dir_all(folder).unwrap();
    let project = "postgres: 14\nsources: [app.yaml]\nsearch_path: [app, public]\nundeclared: keep\n";
    fs::write(folder.join("schemac.yaml"), project).unwrap();
    fs::write(folder.join("app.yaml"), yaml).unwrap();
}

#[test]
fn a_standby_is_compared_and_what_it_cannot_be_asked_is_said() {
    for major in [14, 15, 18] {
        let Some(shared) = servers::all().find(|server| server.major() == major) else { continue };
        let server = Server::start(shared.scratch().installation()).unwrap();
        let database = server.database();
        let folder =
            Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("standby-{major}-{}", std::process::id()));
        write(&folder, TABLE);
        product::run(&folder, &database.url_as_owner(), &["apply", "--yes"]).unwrap().expect(0);
        // The database remembers what the apply found equal; a standby of one that does not is the harder case.
        database.execute_as(As::Superuser, "truncate schemac.memory").unwrap();
        let standby = Standby::of(&server);
        let url = standby.url(&server, OWNER, database.name());
        let mut client = standby.connect(&url);
        assert_eq!(value(&mut client, "select pg_is_in_recovery()"), "t");

        // What analysis finds equal needs nobody; what time it is in a zone, the server's tables say.
        let run = product::run(&folder, &url, &["diff", "--no-cache"]).unwrap();
        let said = run.expect(0).all();
        assert!(said.contains("at_check") && !said.contains("s_check"), "PostgreSQL {major}: {said}");
        assert!(said.contains("could not be proven equal: the server is a standby"), "{said}");
        // Nor can it be changed, and that is said in plain words.
        let run = product::run(&folder, &url, &["apply", "--yes", "--no-cache"]).unwrap();
        assert_eq!(run.code, 1, "{}", run.all());
        assert!(run.all().contains("standby") && !run.all().contains("panicked"), "{}", run.all());

        // What the primary said, in a lock that is committed, is enough.
        product::run(&folder, &database.url_as_owner(), &["diff", "--lock", "--no-cache"]).unwrap().expect(0);
        let run = product::run(&folder, &url, &["diff", "--no-cache", "--exit-code"]).unwrap();
        assert!(run.expect(0).stdout.contains("Nothing to do"), "{}", run.all());
        // A difference is a difference there too.
        write(&folder, &TABLE.replace("('a', 'b')", "('a', 'c')"));
        let run = product::run(&folder, &url, &["diff", "--no-cache", "--exit-code"]).unwrap();
        let said = run.expect(2).all();
        assert!(said.contains("s_check") && !said.contains("at_check"), "PostgreSQL {major}: {said}");
        let _ = fs::remove_dir_all(&folder);
    }
}
