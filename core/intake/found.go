package intake

import (
	"encoding/json"
	"time"

	"tidings/core"
	"tidings/core/lane"
)

// Found takes an event that the gateway has found by reading the shop, as if the
// shop had pushed it: once, in the lane of its customer or order.
func (in *Intake) Found(tx *lane.Tx, e core.Event, now time.Time) error {
	data, err := json.Marshal(e.Data)
	if err != nil {
		return err
	}
	_, err = in.accept(tx, Received{Event: e, digest: digest(string(e.Type), data)}, nil, now)
	return err
}
