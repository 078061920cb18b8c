//! One lab: registries and fault proxy on a thread of their own, told what to do from anywhere.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use crate::error::LabError;
use crate::packages::PackageManager;
use crate::proxy::{self, Request, Shared};
use crate::registry;
use crate::script::Script;

/// A registry for three package managers behind a fault proxy. Dropping it ends its servers.
#[derive(Debug)]
pub struct Lab {
    address: SocketAddr,
    shared: Arc<Shared>,
    settled: watch::Receiver<u64>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Lab {
    /// Starts a sound lab on free loopback ports. From the return on it answers.
    pub fn start() -> Result<Lab, LabError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(LabError::server("start"))?;
        let (registry, proxy) = runtime.block_on(async {
            let registry =
                TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.map_err(LabError::server("listen"))?;
            Ok::<_, LabError>((registry, proxy::open()?))
        })?;
        let upstream = registry.local_addr().map_err(LabError::server("tell their port"))?;
        let (listener, address) = proxy;
        let shared = Shared::new(upstream);
        let (settled_tx, settled) = watch::channel(0);
        let (end, ended) = oneshot::channel();
        let serving = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("regreen-lab".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    tokio::spawn(axum::serve(registry, registry::router()).into_future());
                    tokio::spawn(proxy::serve(listener, address, serving, settled_tx));
                    // Either way the owner is gone.
                    let _ = ended.await;
                });
            })
            .map_err(LabError::server("start"))?;
        Ok(Lab { address, shared, settled, end: Some(end), thread: Some(thread) })
    }

    /// Where the proxy listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a package manager is to be configured with.
    pub fn registry_url(&self, manager: PackageManager) -> String {
        manager.kind().registry_url(self.address)
    }

    /// What a health probe asks: the registry's root.
    pub fn health_url(&self, manager: PackageManager) -> String {
        format!("http://{}/{}/", self.address, manager.kind().registry_folder())
    }

    /// Puts another script in force; what the old one counted is forgotten. Connections that stall are reset.
    /// When it returns, a registry that is to be down refuses, and one that is to be up listens.
    pub fn set_script(&self, script: Script) {
        let wanted = self.shared.set_script(script);
        // The door of the proxy follows within a few milliseconds; a caller must not race with it.
        while *self.settled.borrow() < wanted && self.settled.has_changed().is_ok() {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Every request that reached the proxy, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.requests()
    }

    /// Empties the list of requests.
    pub fn forget_requests(&self) {
        self.shared.forget_requests();
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // A server that panicked has nothing left to end.
            let _ = thread.join();
        }
    }
}
