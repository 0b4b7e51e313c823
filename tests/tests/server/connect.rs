//! Who connects how, and what those hear who cannot.

use std::thread;
use std::time::Duration;

use schemac_compiler::connect::{ConnectError, Trouble, connect_with};
use schemac_tests::servers::{self, As, OWNER};

use crate::{no_environment, value};

fn trouble(url: &str) -> ConnectError {
    match connect_with(Some(url), &no_environment) {
        Ok(_) => panic!("{url} connects"),
        Err(error) => error,
    }
}

#[test]
fn whoever_cannot_connect_hears_what_to_do_and_never_a_password() {
    for major in [15, 18] {
        let Some(server) = servers::get(major) else { continue };
        let database = server.database();
        let (scratch, name) = (server.scratch(), database.name());
        let connection = connect_with(Some(&database.url_as_owner()), &no_environment).unwrap();
        assert_eq!(
            (connection.version, connection.role.as_str(), connection.database.as_str()),
            (major, OWNER, name)
        );

        let password = "hunter2@/:%";
        let with = |role: &str, name: &str| scratch.url_as(role, password, name);
        database
            .execute_as(As::Superuser, &format!("REVOKE CONNECT ON DATABASE {name} FROM PUBLIC"))
            .unwrap();
        server.ensure_role("stranger", "LOGIN PASSWORD 'hunter2@/:%'").unwrap();
        let right = scratch.password();
        let good = database.url_as_owner();
        for (url, kind, word) in [
            (with(OWNER, name), Trouble::Password, "does not take the password of \"owner\""),
            (scratch.url_as(OWNER, right, "nowhere"), Trouble::Database, "has no database \"nowhere\""),
            (with("stranger", name), Trouble::Rights, "\"stranger\" may not connect"),
            (good.replace(&format!(":{}/", scratch.port()), ":1/"), Trouble::Unreachable, "127.0.0.1:1"),
            (good.replace("127.0.0.1", "nowhere.invalid"), Trouble::Unreachable, "nowhere.invalid"),
            (good.replace(&format!(":{right}@"), "@"), Trouble::Password, "none was given"),
            (format!("{good}?sslmode=require"), Trouble::Tls, "does not offer TLS"),
            (format!("{good}?sslmode=sometimes"), Trouble::Settings, "sslmode"),
            (scratch.socket_url("nobody_here", name), Trouble::Rights, "has no role \"nobody_here\""),
            (
                format!("host=/nowhere user=x password={password}"),
                Trouble::Unreachable,
                "/nowhere/.s.PGSQL.5432",
            ),
        ] {
            let error = trouble(&url);
            let said = format!("{error}\n{}\n{error:?}", error.help);
            assert_eq!(error.trouble, kind, "{said}");
            assert!(error.message.contains(word), "{word}: {said}");
            assert!(!error.help.is_empty() && !said.contains("hunter2") && !said.contains(right), "{said}");
        }
    }
}

#[test]
fn parts_of_an_address_come_from_the_environment_and_from_files() {
    use std::os::unix::fs::PermissionsExt as _;
    let Some(server) = servers::get(15) else { return };
    let database = server.database();
    let folder = std::env::temp_dir().join(format!("schemac-connect-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let (port, password) = (server.scratch().port().to_string(), server.scratch().password());
    let (pass, service) = (folder.join("pass"), folder.join("service"));
    std::fs::write(&pass, format!("127.0.0.1:{port}:*:owner:{password}\n")).unwrap();
    std::fs::set_permissions(&pass, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(&service, format!("[here]\nhost=127.0.0.1\nport={port}\ndbname={}\n", database.name()))
        .unwrap();
    let environment = |name: &str| match name {
        "PGPASSFILE" => Some(pass.to_string_lossy().into_owned()),
        "PGSERVICEFILE" => Some(service.to_string_lossy().into_owned()),
        "PGSERVICE" => Some("here".to_owned()),
        "PGUSER" => Some(OWNER.to_owned()),
        "PGHOST" => Some("nowhere.invalid".to_owned()),
        _ => None,
    };
    let mut connection = connect_with(None, &environment).unwrap();
    assert_eq!(connection.database, database.name());
    assert_eq!(value(&mut connection.client, "SHOW application_name"), "schemac");
    std::fs::set_permissions(&pass, std::fs::Permissions::from_mode(0o644)).unwrap();
    let error = connect_with(None, &environment).err().unwrap();
    assert!(error.trouble == Trouble::Password && error.help.contains("chmod 0600"), "{error:?}");
    std::fs::remove_dir_all(folder).unwrap();
}

/// Runs `openssl` in a folder.
fn openssl(folder: &std::path::Path, arguments: &str) {
    let output =
        std::process::Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("openssl: {error}; or run script/bootstrap"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn encryption_is_as_sslmode_says() {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
    for major in [15, 18] {
        let Some(shared) = servers::get(major) else { continue };
        let server = servers::Server::start(shared.scratch().installation()).unwrap();
        let database = server.database();
        let folder = std::env::temp_dir().join(format!("schemac-tls-{}-{major}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        for name in ["ours", "theirs"] {
            openssl(
                &folder,
                &format!(
                    "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN={name} -keyout {name}.key -out {name}.crt"
                ),
            );
        }
        std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost\n").unwrap();
        openssl(
            &folder,
            "req -new -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr",
        );
        openssl(
            &folder,
            "x509 -req -in server.csr -CA ours.crt -CAkey ours.key -CAcreateserial -days 2 -extfile names -out server.crt",
        );
        let data = server.scratch().data_folder();
        let owner = std::fs::metadata(&data).unwrap();
        for name in ["server.crt", "server.key"] {
            std::fs::copy(folder.join(name), data.join(name)).unwrap();
            std::fs::set_permissions(data.join(name), std::fs::Permissions::from_mode(0o600)).unwrap();
            chown(data.join(name), Some(owner.uid()), Some(owner.gid())).unwrap();
        }
        server.execute("ALTER SYSTEM SET ssl = on").unwrap();
        server.execute("SELECT pg_reload_conf()").unwrap();
        thread::sleep(Duration::from_millis(300));

        let (ours, theirs) = (folder.join("ours.crt"), folder.join("theirs.crt"));
        let by_name = database.url_as_owner().replace("127.0.0.1", "localhost");
        let by_address = database.url_as_owner();
        let encrypted = |url: &str| {
            let mut connection = connect_with(Some(url), &no_environment).map_err(|error| error.trouble)?;
            Ok(value(&mut connection.client, "select ssl from pg_stat_ssl where pid = pg_backend_pid()"))
        };
        for (url, mode, roots, expected) in [
            (&by_name, "disable", None, Ok("f")),
            (&by_name, "allow", None, Ok("f")),
            (&by_name, "prefer", None, Ok("t")),
            (&by_address, "require", None, Ok("t")),
            (&by_address, "require", Some(&theirs), Err(Trouble::Tls)),
            (&by_address, "verify-ca", Some(&ours), Ok("t")),
            (&by_address, "verify-ca", Some(&theirs), Err(Trouble::Tls)),
            (&by_name, "verify-ca", None, Err(Trouble::Tls)),
            (&by_name, "verify-full", Some(&ours), Ok("t")),
            (&by_address, "verify-full", Some(&ours), Err(Trouble::Tls)),
            (&by_name, "verify-full", Some(&theirs), Err(Trouble::Tls)),
        ] {
            let roots = roots.map(|path| format!("&sslrootcert={}", path.display())).unwrap_or_default();
            let outcome = encrypted(&format!("{url}?sslmode={mode}{roots}"));
            assert_eq!(outcome, expected.map(str::to_owned), "PostgreSQL {major}: {mode} {roots}");
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}
