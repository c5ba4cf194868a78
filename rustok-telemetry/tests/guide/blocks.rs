//! The guide's blocks, one module each.

use std::{future::Future, sync::Arc};

type Result<T> = std::result::Result<T, Error>;

enum Error {
    CircuitBreakerOpen,
}

struct Tenant;

mod event_bus {
    fn example(tenant_id: u64) {
        use rustok_telemetry::metrics;

        // Record event publication
        metrics::record_event_published("ProductCreated", &tenant_id.to_string());

        // Record event dispatch
        metrics::record_event_dispatched("ProductCreated", "index_handler");

        // Update queue depth
        metrics::update_queue_depth("in_memory", 42);

        // Record processing duration
        let start = std::time::Instant::now();
        // ... process event ...
        metrics::record_event_processing_duration(
            "ProductCreated", 
            "index_handler", 
            start.elapsed().as_secs_f64()
        );
    }
}

mod circuit_breaker {
    fn example() {
        use rustok_telemetry::metrics;

        // Update state (0=closed, 1=open, 2=half-open)
        metrics::update_circuit_breaker_state("redis", 0);

        // Record transition
        metrics::record_circuit_breaker_transition("redis", "closed", "open");

        // Record call result
        metrics::record_circuit_breaker_call("redis", "success");

        // Update failure count
        metrics::update_circuit_breaker_failures("redis", 3);
    }
}

mod cache {
    fn example() {
        use rustok_telemetry::metrics;

        // Record cache hit
        metrics::record_cache_operation("tenant_cache", "get", "hit");

        // Record cache miss
        metrics::record_cache_operation("tenant_cache", "get", "miss");

        // Update cache size
        metrics::update_cache_size("tenant_cache", 1234);

        // Record eviction
        metrics::record_cache_eviction("tenant_cache", "ttl");
    }
}

mod instrumenting_event_bus {
    use super::Result;
    use rustok_telemetry::metrics;
    use std::time::Instant;

    #[derive(Clone)]
    struct DomainEvent;

    impl DomainEvent {
        fn tenant_id(&self) -> u64 {
            7
        }

        fn event_type(&self) -> &'static str {
            "ProductCreated"
        }
    }

    struct Handler;

    impl Handler {
        async fn handle(&self, _event: DomainEvent) -> Result<()> {
            Ok(())
        }

        async fn publish(&self, _event: DomainEvent) -> Result<()> {
            Ok(())
        }
    }

    struct EventBus {
        queue: Vec<DomainEvent>,
        transport: Handler,
        handler: Handler,
    }

    impl EventBus {
        pub async fn publish_event(&self, event: DomainEvent) -> Result<()> {
            let tenant_id = event.tenant_id().to_string();
            let event_type = event.event_type();
            
            // Record publication
            metrics::record_event_published(event_type, &tenant_id);
            
            // Update queue depth
            let depth = self.queue.len() as i64;
            metrics::update_queue_depth("in_memory", depth);
            
            // Publish event
            self.transport.publish(event).await?;
            
            Ok(())
        }

        #[allow(unused_variables)]
        pub async fn dispatch_event(&self, event: DomainEvent) -> Result<()> {
            let event_type = event.event_type();
            let handler_name = "my_handler";
            
            let start = Instant::now();
            
            match self.handler.handle(event).await {
                Ok(_) => {
                    metrics::record_event_dispatched(event_type, handler_name);
                    metrics::record_event_processing_duration(
                        event_type,
                        handler_name,
                        start.elapsed().as_secs_f64()
                    );
                }
                Err(e) => {
                    metrics::record_event_error(event_type, "handler_error");
                }
            }
            
            Ok(())
        }
    }
}

mod instrumenting_circuit_breaker {
    use super::{Error, Future, Result};
    use rustok_telemetry::metrics;

    enum CircuitState {
        Closed,
        Open,
        HalfOpen,
    }

    struct CircuitBreaker {
        service_name: String,
        state: CircuitState,
        failure_count: i64,
        threshold: i64,
    }

    impl CircuitBreaker {
        pub async fn call<F, T>(&mut self, f: F) -> Result<T>
        where
            F: Future<Output = Result<T>>,
        {
            let service = &self.service_name;
            
            match self.state {
                CircuitState::Closed => {
                    metrics::update_circuit_breaker_state(service, 0);
                    match f.await {
                        Ok(result) => {
                            metrics::record_circuit_breaker_call(service, "success");
                            Ok(result)
                        }
                        Err(e) => {
                            self.failure_count += 1;
                            metrics::update_circuit_breaker_failures(service, self.failure_count);
                            metrics::record_circuit_breaker_call(service, "failure");
                            
                            if self.failure_count >= self.threshold {
                                self.open_circuit();
                            }
                            Err(e)
                        }
                    }
                }
                CircuitState::Open => {
                    metrics::update_circuit_breaker_state(service, 1);
                    metrics::record_circuit_breaker_call(service, "rejected");
                    Err(Error::CircuitBreakerOpen)
                }
                CircuitState::HalfOpen => {
                    metrics::update_circuit_breaker_state(service, 2);
                    // ... test recovery
                    f.await
                }
            }
        }
        
        fn open_circuit(&mut self) {
            metrics::record_circuit_breaker_transition(
                &self.service_name,
                "closed",
                "open"
            );
            self.state = CircuitState::Open;
        }
    }
}

mod instrumenting_cache {
    use super::{Arc, Tenant};
    use rustok_telemetry::metrics;
    use std::time::Instant;

    struct Cache;

    impl Cache {
        async fn get(&self, _key: &str) -> Option<Arc<Tenant>> {
            None
        }

        async fn invalidate(&self, _key: &str) {}

        fn entry_count(&self) -> u64 {
            0
        }
    }

    struct TenantCache {
        cache: Cache,
    }

    impl TenantCache {
        fn should_report_size(&self) -> bool {
            true
        }
    }

    impl TenantCache {
        pub async fn get(&self, key: &str) -> Option<Arc<Tenant>> {
            let start = Instant::now();
            
            let result = self.cache.get(key).await;
            
            let operation_result = if result.is_some() { "hit" } else { "miss" };
            metrics::record_cache_operation("tenant_cache", "get", operation_result);
            metrics::record_cache_duration(
                "tenant_cache",
                "get",
                start.elapsed().as_secs_f64()
            );
            
            // Update cache size periodically
            if self.should_report_size() {
                let size = self.cache.entry_count() as i64;
                metrics::update_cache_size("tenant_cache", size);
            }
            
            result
        }
        
        pub async fn evict(&self, key: &str, reason: &str) {
            self.cache.invalidate(key).await;
            metrics::record_cache_eviction("tenant_cache", reason);
        }
    }
}

mod best_practices {
    use rustok_telemetry::metrics;

    fn cardinality(tenant_id: String, user_id: String) {
        // ✅ Good: Low cardinality
        metrics::record_event_published("ProductCreated", &tenant_id);

        // ❌ Bad: High cardinality (unique per user)
        metrics::record_event_published("ProductCreated", &user_id);
    }

    fn sample_rate() -> bool {
        true
    }

    fn frequency(event_type: &str, tenant_id: &str, size: i64) {
        // ✅ Good: Record on every operation (low overhead)
        metrics::record_event_published(event_type, tenant_id);

        // ⚠️ Caution: Expensive operations (batch or sample)
        if sample_rate() {
            metrics::update_cache_size("cache", size);
        }
    }
}
