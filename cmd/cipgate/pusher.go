package main

import "context"

// pusher is the goroutine that brings notices to whoever wants them pushed. The keeper addresses them. Several gateway processes
// may each have one; the streams' leases say who pushes what.
type pusher struct {
	cancel context.CancelFunc
	done   chan struct{}
}

func pushNotices(p *Program) *pusher {
	ctx, cancel := context.WithCancel(context.Background())
	w := &pusher{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(w.done)
		p.delivery.Run(ctx)
	}()
	return w
}

func (w *pusher) stop() {
	w.cancel()
	<-w.done
}
