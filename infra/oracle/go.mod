// Foreign WeChat SDKs, to compare with. A module of its own, so that the product doesn't depend on them.
module kefu/infra/oracle

go 1.26

require (
	github.com/silenceper/wechat/v2 v2.1.12
	kefu v0.0.0
)

require (
	github.com/bradfitz/gomemcache v0.0.0-20220106215444-fb4bf637b56d // indirect
	github.com/cespare/xxhash/v2 v2.1.2 // indirect
	github.com/dgryski/go-rendezvous v0.0.0-20200823014737-9f7001d12a5f // indirect
	github.com/go-redis/redis/v8 v8.11.5 // indirect
	golang.org/x/crypto v0.0.0-20220622213112-05595931fe9d // indirect
)

replace kefu => ../..
