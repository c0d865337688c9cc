use std::fs;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Barrier;

use framewire::announce::secret::{FILE, Secret, SecretError};

use crate::forge::SECRET;

fn write(path: &Path, text: &str, mode: u32) {
    use std::io::Write as _;
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(mode)
        .open(path)
        .unwrap();
    file.write_all(text.as_bytes()).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_secret_is_generated_once_and_kept_for_its_owner_alone() {
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("deep/data");
    let first = Secret::load(&data, None).unwrap();
    let second = Secret::load(&data, None).unwrap();
    assert_eq!(first.as_bytes(), second.as_bytes());
    assert_eq!(first.as_bytes().len(), 64);
    assert_eq!(mode(&data), 0o700);
    assert_eq!(mode(&data.join(FILE)), 0o600);
    assert_eq!(
        fs::read_dir(&data).unwrap().count(),
        1,
        "no draft is left behind"
    );
    let other = Secret::load(&parent.path().join("other"), None).unwrap();
    assert_ne!(first.as_bytes(), other.as_bytes());
}

#[test]
fn processes_that_start_together_agree_on_one_secret() {
    let parent = tempfile::tempdir().unwrap();
    let (data, barrier) = (parent.path().join("data"), Barrier::new(8));
    let load = || {
        barrier.wait();
        Secret::load(&data, None).unwrap().as_bytes().to_vec()
    };
    let secrets: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(load)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    });
    assert!(secrets.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn the_environment_wins_and_touches_no_file() {
    //= A18 type=test
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("data");
    let secret = Secret::load(&data, Some(SECRET.into())).unwrap();
    assert_eq!(secret.as_bytes(), SECRET.as_bytes());
    assert!(!data.exists());
}

#[test]
fn short_and_uniform_secrets_are_refused_from_both_places() {
    //= AU-18 type=test
    //= A19 type=test
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join(FILE);
    for text in ["", "changeme", "0123456789abcdef0123456789abcde"] {
        let error = Secret::load(data.path(), Some(text.into())).unwrap_err();
        assert!(matches!(error, SecretError::TooShort { .. }), "{text}");
        let line = error.to_string();
        assert!(
            line.contains("API_secret") && line.contains("at least 32"),
            "{line}"
        );
        assert!(
            !line.contains('\n') && (text.is_empty() || !line.contains(text)),
            "{line}"
        );

        write(&path, text, 0o600);
        let error = Secret::load(data.path(), None).unwrap_err();
        assert!(matches!(error, SecretError::TooShort { .. }), "{text}");
        assert!(error.to_string().contains(FILE));
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_file_that_others_can_read_is_refused() {
    for exposed in [0o644, 0o640, 0o604, 0o660, 0o601] {
        let data = tempfile::tempdir().unwrap();
        let path = data.path().join(FILE);
        write(&path, SECRET, 0o600);
        fs::set_permissions(&path, fs::Permissions::from_mode(exposed)).unwrap();
        let error = Secret::load(data.path(), None).unwrap_err();
        assert!(matches!(error, SecretError::Exposed { mode, .. } if mode == exposed));
        assert!(error.to_string().contains("chmod 600"));
    }
}

#[test]
fn a_line_end_after_the_secret_is_not_part_of_it() {
    let data = tempfile::tempdir().unwrap();
    write(&data.path().join(FILE), &format!("{SECRET}\r\n"), 0o600);
    assert_eq!(
        Secret::load(data.path(), None).unwrap().as_bytes(),
        SECRET.as_bytes()
    );
}

#[test]
fn a_data_path_that_is_a_file_is_a_clear_error() {
    let parent = tempfile::tempdir().unwrap();
    let data = parent.path().join("data");
    fs::write(&data, "").unwrap();
    let line = Secret::load(&data, None).unwrap_err().to_string();
    assert!(
        line.starts_with("cannot ") && line.contains("data"),
        "{line}"
    );
}

#[test]
fn debug_does_not_print_the_secret() {
    use framewire::announce::token::{Minter, Verifier};
    let secret = crate::forge::secret();
    let text = format!(
        "{secret:?} {:?} {:?}",
        Verifier::new(&secret),
        Minter::new(&secret)
    );
    assert!(
        !text.contains("0123456789") && !text.contains("48, 49, 50"),
        "{text}"
    );
}
